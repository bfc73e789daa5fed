"""Plivo's callbacks: https://docs.plivo.com/docs/messaging/concepts/message-states"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import httpx

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.shapes import event_id, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

# A status and an error's code: https://docs.plivo.com/docs/messaging/troubleshooting/error-codes
OUTCOMES = {
    "delivered": ("delivered", ""),
    "bounced_hard": ("undelivered", "50"),
    "bounced_soft": ("undelivered", "80"),
    "unsubscribed": ("failed", "200"),
    "failed": ("undelivered", "30"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """By the method that the message wanted."""
    message = happened.message
    fields = _inbound(happened) if happened.outcome == "inbound" else _status(happened)
    if fields is None:
        return None
    nonce = str(int(texts.event_hex(happened), 16))[:20]
    url = texts.asked(ear.url, {}) if happened.outcome == "inbound" else texts.status_url(ear.url, message)
    if happened.outcome != "inbound" and rest_of(happened).get("method") == "GET":
        url = texts.asked(url, fields)
        return httpx.Request("GET", url, headers=signature("GET", url, {}, ear.token or "", nonce))
    return texts.form(url, fields, signature("POST", url, fields, ear.token or "", nonce))


def signature(method: str, url: str, fields: Mapping[str, str], token: str, nonce: str) -> dict[str, str]:
    """https://docs.plivo.com/docs/messaging/concepts/signature-validation"""
    digest = hmac.digest(token.encode(), f"{_signed(method, url, fields)}.{nonce}".encode(), "sha256")
    return {"X-Plivo-Signature-V3": b64encode(digest).decode(), "X-Plivo-Signature-V3-Nonce": nonce}


def _signed(method: str, url: str, fields: Mapping[str, str]) -> str:
    """The URL with its query in order and in plain letters; then the form's fields, also in order."""
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    if method == "GET" or not fields:
        return f"{base}?{query}" if query else base
    return f"{base}?{query}{'.' if query else ''}" + "".join(f"{name}{fields[name]}" for name in sorted(fields))


def _status(happened: Happened) -> dict[str, str] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (status, code) = happened.message, OUTCOMES[happened.outcome]
    return {
        "MessageUUID": message.provider_id,
        "ParentMessageUUID": message.provider_id,
        "PartInfo": "1 of 1",
        "From": texts.bare(message.sender),
        "To": texts.bare(message.recipient),
        "Status": status,
        "ErrorCode": code,
        "Units": "1",
        "TotalRate": "0",
        "TotalAmount": "0",
    }


def _inbound(happened: Happened) -> dict[str, str] | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    return {
        "MessageUUID": event_id(happened),
        "From": texts.bare(happened.message.recipient),
        "To": texts.bare(ours),
        "Text": happened.text,
        "Type": "sms",
        "Units": "1",
        "TotalRate": "0",
        "TotalAmount": "0",
    }
