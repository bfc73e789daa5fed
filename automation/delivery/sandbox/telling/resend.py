"""What Resend tells: https://resend.com/docs/dashboard/webhooks/event-types"""

import json
from typing import Any

import httpx
from standardwebhooks import Webhook

from automation.delivery.sandbox.telling.shapes import event_id, instant, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

READ = {"ipAddress": "192.0.2.1", "userAgent": "Sandbox"}
TYPES: dict[str, tuple[str, dict[str, Any]]] = {
    "delivered": ("email.delivered", {}),
    "opened": ("email.opened", {"open": READ}),
    "clicked": ("email.clicked", {"click": {**READ, "link": "https://shop.example/"}}),
    "complained": ("email.complained", {}),
    "bounced_hard": (
        "email.bounced",
        {"bounce": {"type": "Permanent", "subType": "General", "message": "550 5.1.1 no such user"}},
    ),
    "bounced_soft": (
        "email.bounced",
        {"bounce": {"type": "Transient", "subType": "MailboxFull", "message": "452 4.2.2 mailbox full"}},
    ),
    "failed": ("email.failed", {"failed": {"reason": "domain_not_verified"}}),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """Whoever unsubscribes does so with the sender, of which Resend knows nothing."""
    if happened.outcome not in TYPES:
        return None
    name, more = TYPES[happened.outcome]
    message, at = happened.message, instant(happened.at)
    data = {
        "email_id": message.provider_id,
        "created_at": message.at,
        "from": message.sender,
        "to": [message.recipient],
        "subject": message.subject,
        "tags": {tag["name"]: tag["value"] for tag in rest_of(happened).get("tags", [])},
        **more,
    }
    body, key = json.dumps({"type": name, "created_at": at, "data": data}), event_id(happened)
    headers = {
        "content-type": "application/json",
        "svix-id": key,
        "svix-timestamp": str(int(happened.signed_at.timestamp())),
        "svix-signature": Webhook(ear.secret or "").sign(key, happened.signed_at, body),
    }
    return httpx.Request("POST", ear.url, headers=headers, content=body.encode())
