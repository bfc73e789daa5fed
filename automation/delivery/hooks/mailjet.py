"""Mailjet's event API: https://dev.mailjet.com/email/guides/webhooks/"""

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

EVENTS: dict[str, Outcome] = {
    "click": "clicked",
    "open": "opened",
    "sent": "delivered",
    "spam": "complained",
    "unsub": "unsubscribed",
}
# https://dev.mailjet.com/email/guides/webhooks/#possible-values-for-errors
BLOCKS: dict[str, Outcome] = {
    "blacklisted": "bounced_hard",
    # The mail that was sent is another one: nothing became of this.
    "duplicate in campaign": "info",
    "invalid domain": "bounced_hard",
    "preblocked": "bounced_hard",
    "spam reporter": "complained",
    "typofix": "bounced_hard",
    "user unknown": "bounced_hard",
}
STILL_TRYING = "greylisted"
# With the address: who unsubscribes outside of a message has none of its ids.
TOLD_APART = ("event", "MessageID", "time", "url", "email")


class Mailjet:
    kind = "mailjet"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (nothing is signed)
        return knows_password(call.headers, key.secret)

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_event(one) for one in objects(json_of(call)))
        return [event for event in found if event is not None]


def _event(one: dict[str, Any]) -> Event | None:
    name, provider_id, recipient = (text_of(one.get(part)) for part in ("event", "MessageID", "email"))
    if name is None or (provider_id is None and recipient is None):
        return None
    return Event(
        digest_of(*(one.get(part) for part in TOLD_APART)),
        _outcome(one, name),
        name,
        moment_of(one.get("time")),
        own_id(one.get("CustomID")),
        provider_id,
        recipient,
        reason_of(*(one.get(part) for part in ("error_related_to", "error", "comment", "smtp_reply", "source"))),
    )


def _outcome(one: dict[str, Any], name: str) -> Outcome:
    error = (text_of(one.get("error")) or "").strip().lower()
    if name == "blocked":
        return BLOCKS.get(error, "failed")
    if name != "bounce":
        return EVENTS.get(name, "info")
    if one.get("hard_bounce") is True:
        return "bounced_hard"
    return "info" if error == STILL_TRYING else "bounced_soft"
