"""Postmark's webhooks: https://postmarkapp.com/developer/webhooks/webhooks-overview"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import (
    digest_of,
    inside,
    json_of,
    knows_password,
    moment_of,
    objects,
    own_id,
    text_of,
)
from automation.delivery.replies import masked

RECORDS: dict[str, Outcome] = {
    "Delivery": "delivered",
    "Open": "opened",
    "Click": "clicked",
    "SpamComplaint": "complained",
}
# https://postmarkapp.com/developer/api/bounce-api#bounce-types
BOUNCES: dict[str, Outcome] = {
    "HardBounce": "bounced_hard",
    "BadEmailAddress": "bounced_hard",
    "ManuallyDeactivated": "bounced_hard",
    "SoftBounce": "bounced_soft",
    "DnsError": "bounced_soft",
    "VirusNotification": "bounced_soft",
    "Unsubscribe": "unsubscribed",
    "SpamNotification": "complained",
    "SpamComplaint": "complained",
    "Blocked": "failed",
    "DMARCPolicy": "failed",
    "Unconfirmed": "failed",
    "SMTPApiError": "failed",
    "TemplateRenderingFailed": "failed",
}
# https://postmarkapp.com/developer/webhooks/subscription-change-webhook
SUPPRESSIONS: dict[str, Outcome] = {
    "ManualSuppression": "unsubscribed",
    "HardBounce": "bounced_hard",
    "SpamComplaint": "complained",
}
# Of a suppression that somebody made by hand.
NO_MESSAGE = "00000000-0000-0000-0000-000000000000"
TIMES = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


class Postmark:
    kind = "postmark"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (nothing is signed)
        return knows_password(call.headers, key.secret)

    def told(self, call: HookCall) -> Sequence[Told]:
        return list(_events(json_of(call)))


def _events(body: Any) -> Iterator[Event]:
    for one in objects(body):
        record, provider_id = text_of(one.get("RecordType")), text_of(one.get("MessageID"))
        if record is not None and provider_id is not None:
            yield _event(one, record, provider_id)


def _event(one: dict[str, Any], record: str, provider_id: str) -> Event:
    at = next((one[name] for name in TIMES if one.get(name)), None)
    return Event(
        digest_of(record, provider_id, one.get("ID") or at, one.get("OriginalLink"), one.get("Recipient")),
        _outcome(one, record),
        record,
        moment_of(at),
        own_id(inside(one, "Metadata", "mid")),
        None if provider_id == NO_MESSAGE else provider_id,
        text_of(one.get("Recipient") or one.get("Email")),
        masked(" ".join(str(one.get(name) or "") for name in ("Type", "SuppressionReason", "Description")).strip()),
    )


def _outcome(one: dict[str, Any], record: str) -> Outcome:
    if record == "Bounce":
        return BOUNCES.get(str(one.get("Type")), "info")
    if record == "SubscriptionChange":
        reason = str(one.get("SuppressionReason"))
        return SUPPRESSIONS.get(reason, "info") if one.get("SuppressSending") is True else "info"
    return RECORDS.get(record, "info")
