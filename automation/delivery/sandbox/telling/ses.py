"""What SES tells: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""

from typing import Any

import httpx

from automation.delivery.sandbox.telling import sns
from automation.delivery.sandbox.telling.shapes import instant, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

READ = {"ipAddress": "192.0.2.1", "userAgent": "Sandbox"}
# The name of the event, the part of it that tells, and what else stands in that.
EVENTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "delivered": ("Delivery", "delivery", {"smtpResponse": "250 OK"}),
    "opened": ("Open", "open", READ),
    "clicked": ("Click", "click", {**READ, "link": "https://shop.example/"}),
    "complained": ("Complaint", "complaint", {"complaintFeedbackType": "abuse"}),
    "unsubscribed": ("Subscription", "subscription", {"source": "UnsubscribeHeader"}),
    "bounced_hard": ("Bounce", "bounce", {"bounceType": "Permanent", "bounceSubType": "General"}),
    "bounced_soft": ("Bounce", "bounce", {"bounceType": "Transient", "bounceSubType": "MailboxFull"}),
    "failed": ("Reject", "reject", {"reason": "Bad content"}),
}
BOUNCES = {"bounced_hard": "550 5.1.1 no such user", "bounced_soft": "452 4.2.2 mailbox full"}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    """Through a topic, whether the message named a configuration set or not."""
    if happened.outcome not in EVENTS:
        return None
    name, part, more = EVENTS[happened.outcome]
    told = {"timestamp": instant(happened.at), **more, **_recipients(happened)}
    return sns.notification(happened, ear, {"eventType": name, "mail": _mail(happened), part: told})


def _mail(happened: Happened) -> dict[str, Any]:
    message = happened.message
    return {
        "timestamp": message.at,
        "source": message.sender,
        "messageId": message.provider_id,
        "destination": [message.recipient],
        "commonHeaders": {"subject": message.subject},
        "tags": {tag["Name"]: [tag["Value"]] for tag in rest_of(happened).get("EmailTags", [])},
    }


def _recipients(happened: Happened) -> dict[str, Any]:
    recipient = happened.message.recipient
    match happened.outcome:
        case "delivered":
            return {"recipients": [recipient]}
        case "complained":
            return {"complainedRecipients": [{"emailAddress": recipient}]}
        case outcome if outcome in BOUNCES:
            return {"bouncedRecipients": [{"emailAddress": recipient, "diagnosticCode": BOUNCES[outcome]}]}
    return {}
