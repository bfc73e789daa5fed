"""What AWS End User Messaging tells of texts, by SNS.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks import sns
from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import inside, moment_of, own_id, reason_of, text_of, words_of

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
EVENTS: dict[str, Outcome] = {
    "TEXT_BLOCKED": "failed",
    "TEXT_CARRIER_BLOCKED": "failed",
    "TEXT_CARRIER_UNREACHABLE": "bounced_soft",
    "TEXT_DELIVERED": "delivered",
    "TEXT_INVALID": "bounced_hard",
    "TEXT_INVALID_MESSAGE": "failed",
    "TEXT_PROTECT_BLOCKED": "failed",
    "TEXT_SPAM": "failed",
    "TEXT_SUCCESSFUL": "delivered",
    "TEXT_TTL_EXPIRED": "bounced_soft",
    "TEXT_UNKNOWN": "bounced_soft",
    "TEXT_UNREACHABLE": "bounced_soft",
}


class AwsSms:
    kind = "aws_sms"
    checked_with = "public"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        return sns.is_genuine(call, key, now)

    def told(self, call: HookCall) -> Sequence[Told]:
        found = sns.notification(call)
        if found is None:
            return []
        told = _event(found, found.body) or _inbound(found, found.body)
        return [] if told is None else [told]


def _event(found: sns.Notification, body: Any) -> Event | None:
    name, provider_id = text_of(inside(body, "eventType")), text_of(inside(body, "messageId"))
    if name is None or provider_id is None:
        return None
    return Event(
        found.key,
        EVENTS.get(name, "info"),
        name,
        moment_of(body.get("eventTimestamp")) or moment_of(found.at),
        own_id(inside(body, "context", "mid")),
        provider_id,
        text_of(body.get("destinationPhoneNumber")),
        reason_of(body.get("messageStatusDescription")),
    )


def _inbound(found: sns.Notification, body: Any) -> InboundText | None:
    """https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html

    Whether AWS has answered a STOP is a setting of the number and does not stand here.
    """
    key, sender, text = (inside(body, name) for name in ("inboundMessageId", "originationNumber", "messageBody"))
    key, sender, text = text_of(key), text_of(sender), words_of(text)
    if key is None or sender is None or text is None:
        return None
    return InboundText(key, sender, text_of(body.get("destinationNumber")) or "", text, moment_of(found.at))
