"""What AWS End User Messaging tells of texts, through a topic.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

from typing import Any

import httpx

from automation.delivery.sandbox.telling import sns, texts
from automation.delivery.sandbox.telling.shapes import event_id, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

# https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-types.html
# Who has opted out is not told of: the next call is refused.
OUTCOMES = {
    "delivered": ("TEXT_DELIVERED", "Message has been accepted by phone"),
    "bounced_hard": ("TEXT_INVALID", "Invalid destination phone number"),
    "bounced_soft": ("TEXT_UNREACHABLE", "Phone is currently unreachable/unavailable"),
    "failed": ("TEXT_CARRIER_BLOCKED", "Phone carrier has blocked this message"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """Whether the message named a configuration set or not: a default one may have been set up."""
    told = _inbound(happened) if happened.outcome == "inbound" else _event(happened)
    return None if told is None else sns.notification(happened, ear, told)


def _event(happened: Happened) -> dict[str, Any] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (name, words) = happened.message, OUTCOMES[happened.outcome]
    rest, at = rest_of(happened), int(happened.at.timestamp() * 1000)
    return {
        "eventType": name,
        "eventVersion": "1.0",
        "eventTimestamp": at,
        "isFinal": True,
        "originationPhoneNumber": message.sender,
        "destinationPhoneNumber": message.recipient,
        "messageId": message.provider_id,
        "messageRequestTimestamp": at,
        "messageEncoding": "GSM" if message.text.isascii() else "Unicode",
        "messageType": rest.get("MessageType", "TRANSACTIONAL"),
        "messageStatus": name.removeprefix("TEXT_"),
        "messageStatusDescription": words,
        "context": rest.get("Context", {}),
        "totalMessageParts": 1,
        "totalMessagePrice": 0.0,
        "totalCarrierFee": 0.0,
    }


def _inbound(happened: Happened) -> dict[str, Any] | None:
    """https://docs.aws.amazon.com/sms-voice/latest/userguide/two-way-sms-payload.html"""
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    return {
        "originationNumber": happened.message.recipient,
        "destinationNumber": ours,
        "messageKeyword": (happened.text.split() or [""])[0].upper(),
        "messageBody": happened.text,
        "previousPublishedMessageId": happened.message.provider_id,
        "inboundMessageId": event_id(happened),
    }
