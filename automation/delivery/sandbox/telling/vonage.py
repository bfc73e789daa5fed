"""The calls of Vonage's Messages API: https://developer.vonage.com/en/messages/concepts/messages-status-callbacks"""

from datetime import datetime
from hashlib import sha256
from typing import Any

import httpx
import jwt

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.shapes import event_id, instant
from automation.delivery.sandbox.telling.telling import Ear, Happened

ERRORS = "https://developer.vonage.com/api-errors/messages#"
# A status and an error's code: https://developer.vonage.com/en/api-errors/messages
OUTCOMES = {
    "delivered": ("delivered", 0),
    "bounced_hard": ("undeliverable", 1170),
    "bounced_soft": ("undeliverable", 1180),
    "unsubscribed": ("rejected", 1240),
    "failed": ("rejected", 1120),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    payload = _inbound(happened) if happened.outcome == "inbound" else _status(happened)
    if payload is None:
        return None
    content = texts.json_bytes(payload)
    headers = signature(content, ear.secret, happened.signed_at, event_id(happened))
    return texts.json_call(ear.url, content, headers)


def claims(body: bytes, at: datetime, jti: str) -> dict[str, Any]:
    """https://developer.vonage.com/en/getting-started/concepts/webhooks"""
    hashed = sha256(body).hexdigest()
    return {"iat": int(at.timestamp()), "jti": jti, "iss": "Vonage", "payload_hash": hashed}


def signature(body: bytes, secret: str | None, at: datetime, jti: str) -> dict[str, str]:
    """Without a secret there is none."""
    if not secret:
        return {}
    return {"Authorization": f"Bearer {jwt.encode(claims(body, at, jti), secret, algorithm='HS256')}"}


def _status(happened: Happened) -> dict[str, Any] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (status, code) = happened.message, OUTCOMES[happened.outcome]
    error = {"type": f"{ERRORS}{code}", "title": str(code), "detail": "The sandbox lets it fail.", "instance": ""}
    return {
        "message_uuid": message.provider_id,
        "to": texts.bare(message.recipient),
        "from": texts.bare(message.sender),
        "timestamp": instant(happened.at),
        "status": status,
        "client_ref": message.mid,
        "channel": "sms",
        "usage": {"currency": "EUR", "price": "0"},
        "sms": {"count_total": "1"},
        **({"error": error} if code else {}),
    }


def _inbound(happened: Happened) -> dict[str, Any] | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    return {
        "channel": "sms",
        "message_uuid": event_id(happened),
        "to": texts.bare(ours),
        "from": texts.bare(happened.message.recipient),
        "timestamp": instant(happened.at),
        "text": happened.text,
        "message_type": "text",
        "sms": {"num_messages": "1", "keyword": (happened.text.split() or [""])[0].upper()},
        "usage": {"currency": "EUR", "price": "0"},
    }
