"""What Postmark tells: https://postmarkapp.com/developer/webhooks/webhooks-overview"""

from typing import Any

import httpx

from automation.delivery.sandbox.telling.shapes import in_json, instant, password, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

READ = {"Platform": "Desktop", "UserAgent": "Sandbox", "OS": {}, "Client": {}, "Geo": {}}
LEFT = {"SuppressSending": True, "SuppressionReason": "ManualSuppression", "Origin": "Recipient"}
# The type of the record, the name of its time, and what else it tells.
RECORDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "delivered": ("Delivery", "DeliveredAt", {"Details": "250 OK"}),
    "opened": ("Open", "ReceivedAt", {"FirstOpen": True, **READ}),
    "clicked": ("Click", "ReceivedAt", {"ClickLocation": "HTML", "OriginalLink": "https://shop.example/", **READ}),
    "unsubscribed": ("SubscriptionChange", "ChangedAt", LEFT),
}
# https://postmarkapp.com/developer/api/bounce-api#bounce-types
BOUNCES = {
    "bounced_hard": ("HardBounce", 1, "The server was unable to deliver your message."),
    "bounced_soft": ("SoftBounce", 4096, "Unable to temporarily deliver message."),
    "complained": ("SpamComplaint", 512, "The subscriber explicitly marked this message as spam."),
    "failed": ("Blocked", 100_006, "Blocked from this ISP due to content or blacklisting."),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    told = _told(happened)
    if told is None:
        return None
    message = happened.message
    common = {
        "MessageID": message.provider_id,
        "MessageStream": message.stream,
        "Metadata": rest_of(happened).get("Metadata", {}),
        "Tag": message.tag,
        "ServerID": 1,
    }
    return in_json(ear.url, {**told, **common}, authorization=password(ear))


def _told(happened: Happened) -> dict[str, Any] | None:
    if happened.outcome in BOUNCES:
        return _bounce(happened, *BOUNCES[happened.outcome])
    if happened.outcome not in RECORDS:
        return None
    record, time, more = RECORDS[happened.outcome]
    return {"RecordType": record, time: instant(happened.at), "Recipient": happened.message.recipient, **more}


def _bounce(happened: Happened, name: str, code: int, words: str) -> dict[str, Any]:
    return {
        "RecordType": "SpamComplaint" if name == "SpamComplaint" else "Bounce",
        "ID": happened.number,
        "Type": name,
        "TypeCode": code,
        "Name": name,
        "Description": words,
        "Email": happened.message.recipient,
        "From": happened.message.sender,
        "Subject": happened.message.subject,
        "BouncedAt": instant(happened.at),
        "Inactive": name in {"HardBounce", "SpamComplaint"},
    }
