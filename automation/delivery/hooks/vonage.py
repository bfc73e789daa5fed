"""Vonage's Messages API: https://developer.vonage.com/en/getting-started/concepts/webhooks"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import inside, json_of, moment_of, number_of, objects, own_id, text_of, words_of
from automation.delivery.hooks.tokens import claims_of, has_hash
from automation.delivery.replies import masked

# https://developer.vonage.com/en/messages/concepts/messages-status-callbacks
STATUSES: dict[str, Outcome] = {
    "accepted": "info",
    "buffered": "info",
    "submitted": "info",
    "delivered": "delivered",
    "read": "opened",
    "expired": "bounced_soft",
    "unknown": "bounced_soft",
}
NOT_DELIVERED = frozenset({"failed", "rejected", "undeliverable"})
# https://developer.vonage.com/en/api-errors/messages: the end of the error's `type`
BY_CODE: dict[str, Outcome] = {
    "1170": "bounced_hard",  # no number
    "1190": "bounced_hard",  # absent for ever
    "1200": "bounced_hard",  # lost between carriers
    "1250": "bounced_hard",  # no route
    "1260": "bounced_hard",  # unreachable
    "1000": "bounced_soft",  # throttled
    "1030": "bounced_soft",  # an error of theirs
    "1100": "bounced_soft",  # an error on the way to the carrier
    "1180": "bounced_soft",  # absent for a while
    "1220": "bounced_soft",  # busy
    "1230": "bounced_soft",  # an error of the network
    "1330": "bounced_soft",  # unknown
    "1360": "bounced_soft",  # too late
    "1240": "unsubscribed",
}


class Vonage:
    kind = "vonage"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        claims = claims_of(token.strip(), key.secret, now) if scheme.lower() == "bearer" else None
        return claims is not None and has_hash(claims, "payload_hash", call.body)

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_event(one) if "status" in one else _inbound(one) for one in objects(json_of(call)))
        return [one for one in found if one is not None]


def _event(one: dict[str, Any]) -> Event | None:
    uuid, status = text_of(one.get("message_uuid")), text_of(one.get("status"))
    if uuid is None or status is None:
        return None
    code, error = _code(one), one.get("error")
    return Event(
        f"{uuid}:{status}",
        BY_CODE.get(code, "failed") if status in NOT_DELIVERED else STATUSES.get(status, "info"),
        status,
        moment_of(one.get("timestamp")),
        own_id(one.get("client_ref")),
        uuid,
        number_of(one.get("to")),
        masked(f"{code} {inside(error, 'detail') or ''}".strip()) if error else "",
    )


def _code(one: dict[str, Any]) -> str:
    """The `title` has the code too, and of older messages that is all there is."""
    error = one.get("error")
    return str(inside(error, "type") or "").rpartition("#")[2] or str(inside(error, "title") or "")


def _inbound(one: dict[str, Any]) -> InboundText | None:
    uuid, sender, text = text_of(one.get("message_uuid")), number_of(one.get("from")), words_of(one.get("text"))
    if uuid is None or sender is None or text is None:
        return None
    return InboundText(uuid, sender, number_of(one.get("to")) or "", text, moment_of(one.get("timestamp")))
