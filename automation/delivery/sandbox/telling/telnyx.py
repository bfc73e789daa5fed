"""Telnyx's webhooks: https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks"""

from base64 import b64encode
from datetime import datetime
from typing import Any

import httpx

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.keys import edwards_key
from automation.delivery.sandbox.telling.shapes import event_id, instant, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

# A status and an error's code: https://developers.telnyx.com/docs/messaging/messages/error-codes
OUTCOMES = {
    "delivered": ("delivered", "", ""),
    "bounced_hard": ("delivery_failed", "40008", "Undeliverable"),
    "bounced_soft": ("delivery_failed", "40004", "Rejected by destination"),
    "unsubscribed": ("sending_failed", "40300", "Blocked due to STOP message"),
    "failed": ("delivery_failed", "40002", "Blocked as spam - temporary"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    name = "message.received" if happened.outcome == "inbound" else "message.finalized"
    payload = _inbound(happened) if happened.outcome == "inbound" else _final(happened)
    if payload is None:
        return None
    data = {
        "record_type": "event",
        "event_type": name,
        "id": event_id(happened),
        "occurred_at": instant(happened.at),
        "payload": payload,
    }
    url = texts.status_url(ear.url, happened.message) if "webhook_url" in rest_of(happened) else ear.url
    content = texts.json_bytes({"data": data, "meta": {"attempt": 1, "delivered_to": url}})
    return texts.json_call(url, content, signature(content, happened.signed_at))


def signature(body: bytes, at: datetime) -> dict[str, str]:
    """https://developers.telnyx.com/development/api-fundamentals/webhooks/receiving-webhooks"""
    stamp = str(int(at.timestamp()))
    signed = edwards_key().sign(f"{stamp}|".encode() + body)
    return {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": b64encode(signed).decode()}


def _final(happened: Happened) -> dict[str, Any] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (status, code, title) = happened.message, OUTCOMES[happened.outcome]
    return {
        **_shared(happened, "outbound", message.provider_id, message.text),
        "from": {"phone_number": message.sender, "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [{"phone_number": message.recipient, "status": status, "carrier": "", "line_type": "Wireless"}],
        "tags": rest_of(happened).get("tags", []),
        "webhook_url": rest_of(happened).get("webhook_url"),
        "completed_at": instant(happened.at),
        "errors": [{"code": code, "title": title}] if code else [],
    }


def _inbound(happened: Happened) -> dict[str, Any] | None:
    ours, message = texts.our_number(happened.message), happened.message
    if ours is None:
        return None
    return {
        **_shared(happened, "inbound", event_id(happened), happened.text),
        "from": {"phone_number": message.recipient, "carrier": "", "line_type": "Wireless"},
        "to": [{"phone_number": ours, "status": "webhook_delivered", "carrier": "Telnyx", "line_type": "Wireless"}],
        "received_at": instant(happened.at),
        "errors": [],
    }


def _shared(happened: Happened, direction: str, provider_id: str, text: str) -> dict[str, Any]:
    return {
        "record_type": "message",
        "direction": direction,
        "id": provider_id,
        "type": "SMS",
        "messaging_profile_id": rest_of(happened).get("messaging_profile_id"),
        "text": text,
        "media": [],
        "encoding": "GSM-7" if text.isascii() else "UCS-2",
        "parts": 1,
    }
