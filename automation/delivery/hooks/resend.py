"""Resend's webhooks: https://resend.com/docs/dashboard/webhooks/introduction"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import inside, json_of, moment_of, objects, own_id, text_of
from automation.delivery.hooks.standard import header, is_signed
from automation.delivery.replies import masked

# https://resend.com/docs/dashboard/webhooks/event-types
TYPES: dict[str, Outcome] = {
    "email.delivered": "delivered",
    "email.opened": "opened",
    "email.clicked": "clicked",
    "email.complained": "complained",
    "email.failed": "failed",
}
BOUNCES: dict[str, Outcome] = {
    "Permanent": "bounced_hard",
    "Transient": "bounced_soft",
    "Undetermined": "bounced_soft",
}
REASONS = (("bounce", "message"), ("failed", "reason"), ("suppressed", "reason"))
SUPPRESSED: dict[str, Outcome] = {"previous_bounce": "bounced_hard", "previous_complaint": "complained"}


class Resend:
    kind = "resend"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        return is_signed(call, key, now)

    def told(self, call: HookCall) -> Sequence[Told]:
        key = text_of(header(call, "id"))
        return [_event(one, key) for one in objects(json_of(call)) if key is not None]


def _event(one: dict[str, Any], key: str) -> Event:
    name, data = text_of(one.get("type")) or "", inside(one, "data")
    to = inside(data, "to")
    reasons = (inside(data, *path) for path in REASONS)
    return Event(
        key,
        _outcome(name, data),
        name,
        moment_of(one.get("created_at")),
        own_id(inside(data, "tags", "mid")),
        text_of(inside(data, "email_id")),
        text_of(to[0]) if isinstance(to, list) and to else text_of(to),
        masked(next((str(reason) for reason in reasons if reason), "")),
    )


def _outcome(name: str, data: Any) -> Outcome:
    if name == "email.bounced":
        return BOUNCES.get(str(inside(data, "bounce", "type")), "bounced_soft")
    if name == "email.suppressed":
        return SUPPRESSED.get(str(inside(data, "suppressed", "reason")), "failed")
    return TYPES.get(name, "info")
