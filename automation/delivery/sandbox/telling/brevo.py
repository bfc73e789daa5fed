"""What Brevo tells: https://developers.brevo.com/docs/transactional-webhooks"""

import httpx

from automation.delivery.sandbox.telling.shapes import in_json, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

# The names of the events, and what else is told of each.
EVENTS: dict[str, tuple[str, dict[str, str]]] = {
    "delivered": ("delivered", {}),
    "opened": ("opened", {"user_agent": "Sandbox"}),
    "clicked": ("click", {"link": "https://shop.example/"}),
    "complained": ("spam", {}),
    "unsubscribed": ("unsubscribed", {}),
    "bounced_hard": ("hard_bounce", {"reason": "550 5.1.1 no such user"}),
    "bounced_soft": ("soft_bounce", {"reason": "452 4.2.2 mailbox full"}),
    "failed": ("error", {"reason": "The sender is not valid."}),
}
OWN_ID = "X-Mailin-custom"


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """With the token that was set up there: nothing is signed."""
    if happened.outcome not in EVENTS:
        return None
    name, more = EVENTS[happened.outcome]
    message, second = happened.message, int(happened.at.timestamp())
    own_id = rest_of(happened).get("headers", {}).get(OWN_ID)
    body = {
        "event": name,
        "id": happened.number,
        "email": message.recipient,
        "subject": message.subject,
        "message-id": message.provider_id,
        # By the account's own clock, of which nobody tells the zone.
        "date": f"{happened.at:%Y-%m-%d %H:%M:%S}",
        "ts": second,
        "ts_event": second,
        "ts_epoch": int(happened.at.timestamp() * 1000),
        "tags": [message.tag] if message.tag else [],
        **({OWN_ID: own_id} if own_id else {}),
        **more,
    }
    return in_json(ear.url, body, authorization=f"Bearer {ear.secret}")
