"""What SendGrid tells: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""

import json
from base64 import b64encode

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from automation.delivery.sandbox.telling.keys import curve_key
from automation.delivery.sandbox.telling.shapes import event_id, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

READ = {"ip": "192.0.2.1", "useragent": "Sandbox"}
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "delivered": ("delivered", {"response": "250 OK"}),
    "opened": ("open", READ),
    "clicked": ("click", {**READ, "url": "https://shop.example/"}),
    "complained": ("spamreport", {}),
    "unsubscribed": ("unsubscribe", {}),
    "bounced_hard": ("bounce", {"type": "bounce", "status": "5.1.1", "reason": "550 5.1.1 no such user"}),
    "bounced_soft": ("bounce", {"type": "blocked", "status": "4.2.2", "reason": "452 4.2.2 mailbox full"}),
    "failed": ("dropped", {"reason": "Recipient List over Package Quota"}),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    if happened.outcome not in EVENTS:
        return None
    name, more = EVENTS[happened.outcome]
    message, rest = happened.message, rest_of(happened)
    event = {
        **rest.get("custom_args", {}),
        "email": message.recipient,
        "timestamp": int(happened.at.timestamp()),
        "event": name,
        "category": rest.get("categories", []),
        "sg_event_id": event_id(happened),
        "sg_message_id": f"{message.provider_id}.recvd-sandbox-1-0",
        **more,
    }
    return signed(ear, json.dumps([event]).encode() + b"\r\n", str(int(happened.signed_at.timestamp())))


def signed(ear: Ear, body: bytes, at: str) -> httpx.Request:
    """A call with this body, signed at that second."""
    signature = curve_key().sign(at.encode() + body, ECDSA(SHA256()))
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": at,
    }
    return httpx.Request("POST", ear.url, headers=headers, content=body)
