"""Mailgun's webhooks: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads

Its signature does not cover what is told: whoever once read a call could tell something else with it. That is why the
token that is signed is the event's key: a token tells once.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import (
    encoded,
    inside,
    json_of,
    moment_of,
    own_id,
    reason_of,
    same,
    text_of,
)

# https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-types
EVENTS: dict[str, Outcome] = {
    "clicked": "clicked",
    "complained": "complained",
    "delivered": "delivered",
    "opened": "opened",
    "rejected": "failed",
    "unsubscribed": "unsubscribed",
}
# They stand in events and in no documentation; with any other the code decides.
REASONS: dict[str, Outcome] = {
    "old": "bounced_soft",
    "suppress-bounce": "bounced_hard",
    "suppress-complaint": "complained",
    "suppress-unsubscribe": "unsubscribed",
}
TRANSIENT = re.compile(r"4[0-9]{2}")


class Mailgun:
    kind = "mailgun"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (whether a repeat is signed afresh is not documented)
        signed = inside(json_of(call), "signature")
        at, token, given = (text_of(inside(signed, name)) for name in ("timestamp", "token", "signature"))
        if not (key.secret and at and token and given):
            return False
        return same(given, hmac.digest(encoded(key.secret), encoded(at + token), "sha256").hex())

    def told(self, call: HookCall) -> Sequence[Told]:
        body = json_of(call)
        data, token = inside(body, "event-data"), text_of(inside(body, "signature", "token"))
        name = text_of(inside(data, "event"))
        return [] if token is None or name is None else [_event(data, token, name)]


def _event(data: dict[str, Any], token: str, name: str) -> Event:
    status, reject = inside(data, "delivery-status"), inside(data, "reject")
    provider_id = text_of(inside(data, "message", "headers", "message-id"))
    return Event(
        token,
        _outcome(data, name),
        name,
        moment_of(data.get("timestamp")),
        own_id(inside(data, "user-variables", "mid")),
        # Without the angle brackets, as it is kept when it is sent.
        provider_id.strip("<>") if provider_id else None,
        text_of(data.get("recipient")),
        reason_of(
            data.get("reason"),
            *(inside(status, name) for name in ("code", "message", "description")),
            *(inside(reject, name) for name in ("reason", "description")),
        ),
    )


def _outcome(data: dict[str, Any], name: str) -> Outcome:
    if name != "failed":
        return EVENTS.get(name, "info")
    if data.get("severity") != "permanent":
        return "info"
    code = text_of(inside(data, "delivery-status", "code")) or ""
    by_code: Outcome = "bounced_soft" if TRANSIENT.fullmatch(code) else "bounced_hard"
    return REASONS.get(text_of(data.get("reason")) or "", by_code)
