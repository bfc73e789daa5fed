"""Bird: https://bird.com/en-us/docs/guides/webhooks"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import inside, json_of, moment_of, objects, own_id, text_of, words_of
from automation.delivery.hooks.standard import header, is_signed
from automation.delivery.replies import masked

# https://bird.com/en-us/docs/api: the events of webhooks. A suppression is made when somebody opts out.
TYPES: dict[str, Outcome] = {
    "sms.accepted": "info",
    "sms.sent": "info",
    "sms.delivered": "delivered",
    "sms.expired": "bounced_soft",
    "sms_suppression.created": "unsubscribed",
}
NOT_DELIVERED = frozenset({"sms.undelivered", "sms.failed", "sms.rejected"})
# The same page: the codes of an SMS's error
BY_CODE: dict[str, Outcome] = {
    "invalid_destination": "bounced_hard",
    "landline_unreachable": "bounced_hard",
    "unreachable": "bounced_soft",
    "provider_unavailable": "bounced_soft",
    "unknown": "bounced_soft",
    "recipient_opted_out": "unsubscribed",
}
RECEIVED = "sms.received"


class Bird:
    kind = "bird"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        return is_signed(call, key, now)

    def told(self, call: HookCall) -> Sequence[Told]:
        key = text_of(header(call, "id"))
        found = (_told(one, key) for one in objects(json_of(call)) if key is not None)
        return [one for one in found if one is not None]


def _told(one: dict[str, Any], key: str) -> Told | None:
    name, data = text_of(one.get("type")) or "", inside(one, "data")
    at = moment_of(one.get("timestamp"))
    return _inbound(data, key, at) if name == RECEIVED else _event(name, data, key, at)


def _event(name: str, data: Any, key: str, at: datetime | None) -> Event:
    code = text_of(inside(data, "error", "code")) or ""
    words = text_of(inside(data, "error", "description")) or text_of(inside(data, "reason")) or ""
    return Event(
        key,
        BY_CODE.get(code, "failed") if name in NOT_DELIVERED else TYPES.get(name, "info"),
        name,
        at,
        own_id(inside(data, "metadata", "mid")),
        text_of(inside(data, "sms_id")),
        text_of(inside(data, "to") or inside(data, "destination")),
        masked(f"{code} {words}".strip()),
    )


def _inbound(data: Any, key: str, at: datetime | None) -> InboundText | None:
    """A message of pictures alone has no text."""
    sender, text = text_of(inside(data, "from")), words_of(inside(data, "text"))
    if sender is None or text is None:
        return None
    return InboundText(key, sender, text_of(inside(data, "to")) or "", text, at)
