"""Brevo's webhooks: https://developers.brevo.com/docs/transactional-webhooks"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import (
    digest_of,
    json_of,
    knows_password,
    moment_of,
    objects,
    own_id,
    reason_of,
    text_of,
)

# Names as they come, which are not those that a webhook is set up with.
EVENTS: dict[str, Outcome] = {
    "blocked": "failed",
    "click": "clicked",
    "complaint": "complained",
    "delivered": "delivered",
    "error": "failed",
    "hard_bounce": "bounced_hard",
    "invalid_email": "bounced_hard",
    "opened": "opened",
    # Opened by a machine on the way: the name tells it.
    "proxy_open": "opened",
    "soft_bounce": "bounced_soft",
    "spam": "complained",
    "unique_opened": "opened",
    "unique_proxy_open": "opened",
    "unsubscribe": "unsubscribed",
    "unsubscribed": "unsubscribed",
}
TOLD_APART = ("message-id", "event", "email", "ts_epoch", "link")


class Brevo:
    kind = "brevo"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (nothing is signed)
        return knows_password(call.headers, key.secret)

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_event(one) for one in objects(json_of(call)))
        return [event for event in found if event is not None]


def _event(one: dict[str, Any]) -> Event | None:
    name, provider_id, recipient = (text_of(one.get(part)) for part in ("event", "message-id", "email"))
    if name is None or (provider_id is None and recipient is None):
        return None
    return Event(
        digest_of(*(one.get(part) for part in TOLD_APART)),
        EVENTS.get(name, "info"),
        name,
        # The only one of its times that is told in UTC.
        moment_of(one.get("ts_epoch")),
        own_id(one.get("X-Mailin-custom")),
        provider_id,
        recipient,
        reason_of(one.get("reason")),
    )
