"""What Mailjet tells: https://dev.mailjet.com/email/guides/webhooks/"""

from typing import Any

import httpx

from automation.delivery.sandbox.telling.shapes import event_id, in_json, password, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

READ = {"ip": "192.0.2.1", "geo": "EU", "agent": "Sandbox"}
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "delivered": ("sent", {"smtp_reply": "250 OK"}),
    "opened": ("open", READ),
    "clicked": ("click", {**READ, "url": "https://shop.example/"}),
    "complained": ("spam", {"source": "JMRPP"}),
    "unsubscribed": ("unsub", {**READ, "mj_list_id": 1}),
    "bounced_hard": (
        "bounce",
        {"blocked": False, "hard_bounce": True, "error_related_to": "recipient", "error": "user unknown"},
    ),
    "bounced_soft": (
        "bounce",
        {"blocked": False, "hard_bounce": False, "error_related_to": "mailbox", "error": "mailbox inactive"},
    ),
    "failed": ("blocked", {"error_related_to": "content", "error": "content blocked"}),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """With the password in the URL that was set up there: nothing is signed."""
    if happened.outcome not in EVENTS:
        return None
    name, more = EVENTS[happened.outcome]
    message, rest = happened.message, rest_of(happened)
    body = {
        "event": name,
        "time": int(happened.at.timestamp()),
        "MessageID": int(message.provider_id),
        "Message_GUID": event_id(happened),
        "email": message.recipient,
        "CustomID": message.mid,
        "Payload": rest.get("EventPayload", ""),
        "customcampaign": message.tag,
        **more,
    }
    return in_json(ear.url, body, authorization=password(ear))
