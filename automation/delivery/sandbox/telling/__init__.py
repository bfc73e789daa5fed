"""What vendors tell back of a message, one small file each: pure, written from their documents, signed as they sign."""

from collections.abc import Callable

import httpx

from automation.delivery.sandbox.telling import (
    aws_sms,
    bird,
    brevo,
    mailgun,
    mailjet,
    messagebird,
    plivo,
    postmark,
    resend,
    sendgrid,
    ses,
    sinch,
    telnyx,
    twilio,
    vonage,
)
from automation.delivery.sandbox.telling.telling import Ear, Happened

__all__ = ["TELLS", "Ear", "Happened", "Tell"]

# None where the vendor tells nothing of the kind.
Tell = Callable[[Happened, Ear], httpx.Request | None]

TELLS: dict[str, Tell] = {
    "aws_sms": aws_sms.tell,
    "bird": bird.tell,
    "brevo": brevo.tell,
    "mailgun": mailgun.tell,
    "mailjet": mailjet.tell,
    "messagebird": messagebird.tell,
    "plivo": plivo.tell,
    "postmark": postmark.tell,
    "resend": resend.tell,
    "sendgrid": sendgrid.tell,
    "ses": ses.tell,
    "sinch": sinch.tell,
    "telnyx": telnyx.tell,
    "twilio": twilio.tell,
    "vonage": vonage.tell,
}
