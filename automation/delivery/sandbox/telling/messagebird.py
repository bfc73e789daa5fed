"""MessageBird's older calls: https://developers.messagebird.com/api/sms-messaging/#handle-status-reports"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
import jwt

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.shapes import event_id
from automation.delivery.sandbox.telling.telling import Ear, Happened

LIFETIME = timedelta(minutes=1)
# A status, the reason and its code: https://developers.messagebird.com/api/sms-messaging/#sms-statuses
OUTCOMES = {
    "delivered": ("delivered", "successfully delivered", ""),
    "bounced_hard": ("delivery_failed", "unknown subscriber", "1"),
    "bounced_soft": ("delivery_failed", "unavailable subscriber", "27"),
    "unsubscribed": ("delivery_failed", "opted out", "103"),
    "failed": ("delivery_failed", "carrier rejected", "104"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """Reports are GETs, and only of messages with a reference."""
    if happened.outcome == "inbound":
        return _inbound(happened, ear)
    if happened.outcome not in OUTCOMES or not happened.message.mid:
        return None
    url = texts.asked(ear.url, _report(happened))
    return httpx.Request("GET", url, headers=signature(url, b"", ear.secret, happened.signed_at, event_id(happened)))


def claims(url: str, body: bytes, at: datetime, jti: str) -> dict[str, Any]:
    """https://developers.messagebird.com/api/#verifying-http-requests"""
    start = int(at.timestamp())
    hashed = {"payload_hash": sha256(body).hexdigest()} if body else {}
    times = {"nbf": start, "exp": start + int(LIFETIME.total_seconds())}
    return {"iss": "MessageBird", **times, "jti": jti, "url_hash": sha256(url.encode()).hexdigest(), **hashed}


def signature(url: str, body: bytes, secret: str | None, at: datetime, jti: str) -> dict[str, str]:
    """Without a secret there is none."""
    if not secret:
        return {}
    return {"MessageBird-Signature-JWT": jwt.encode(claims(url, body, at, jti), secret, algorithm="HS256")}


def _report(happened: Happened) -> dict[str, str]:
    message, (status, reason, code) = happened.message, OUTCOMES[happened.outcome]
    return {
        "id": message.provider_id,
        "reference": message.mid,
        "recipient": texts.bare(message.recipient),
        "status": status,
        "statusReason": reason,
        "statusErrorCode": code,
        "statusDatetime": happened.at.isoformat(timespec="seconds"),
    }


def _inbound(happened: Happened, ear: Ear) -> httpx.Request | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    url, fields = (
        texts.asked(ear.url, {}),
        {
            "id": texts.event_hex(happened),
            "originator": texts.bare(happened.message.recipient),
            "recipient": texts.bare(ours),
            "body": happened.text,
            "createdDatetime": happened.at.isoformat(timespec="seconds"),
        },
    )
    request = texts.form(url, fields, {})
    request.headers.update(signature(url, request.content, ear.secret, happened.signed_at, event_id(happened)))
    return request
