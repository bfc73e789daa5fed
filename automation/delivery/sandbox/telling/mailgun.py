"""What Mailgun tells: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks"""

import hmac
from hashlib import sha256
from typing import Any

import httpx

from automation.delivery.sandbox.telling.shapes import event_id, in_json, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened


def _permanent(reason: str, code: int, words: str) -> dict[str, Any]:
    return {"severity": "permanent", "reason": reason, "delivery-status": {"code": code, "message": words}}


READ = {"ip": "192.0.2.1", "client-info": {"user-agent": "Sandbox"}}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "delivered": ("delivered", {"delivery-status": {"code": 250, "message": "OK"}}),
    "opened": ("opened", READ),
    "clicked": ("clicked", {**READ, "url": "https://shop.example/"}),
    "complained": ("complained", {}),
    "unsubscribed": ("unsubscribed", READ),
    "bounced_hard": ("failed", _permanent("bounce", 550, "5.1.1 no such user")),
    "bounced_soft": ("failed", _permanent("old", 452, "4.2.2 mailbox full")),
    "failed": ("rejected", {"reject": {"reason": "Sandbox", "description": ""}}),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    if happened.outcome not in EVENTS:
        return None
    name, more = EVENTS[happened.outcome]
    message, key = happened.message, event_id(happened)
    variables = {field[2:]: texts[0] for field, texts in rest_of(happened).items() if field.startswith("v:")}
    headers = {"message-id": message.provider_id, "from": message.sender, "to": message.recipient}
    data = {
        "event": name,
        "id": key,
        "timestamp": happened.at.timestamp(),
        "recipient": message.recipient,
        "message": {"headers": {**headers, "subject": message.subject}},
        "tags": [message.tag] if message.tag else [],
        "user-variables": variables,
        **more,
    }
    at, token = str(int(happened.at.timestamp())), sha256(key.encode()).hexdigest()[:50]
    return in_json(ear.url, {"signature": signature(ear.secret or "", at, token), "event-data": data})


def signature(secret: str, at: str, token: str) -> dict[str, str]:
    """By the token, which is the event's own; what is told is not covered."""
    proof = hmac.digest(secret.encode(), (at + token).encode(), "sha256").hex()
    return {"timestamp": at, "token": token, "signature": proof}
