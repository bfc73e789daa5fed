"""What vendors tell back of a message, one small file each: pure, written from their documents, signed as they sign."""

from collections.abc import Callable

import httpx

from automation.delivery.sandbox.telling import (
    brevo,
    mailgun,
    mailjet,
    postmark,
    resend,
    sendgrid,
    ses,
)
from automation.delivery.sandbox.telling.telling import Ear, Happened

__all__ = ["TELLS", "Ear", "Happened", "Tell"]

# None where the vendor tells nothing of the kind.
Tell = Callable[[Happened, Ear], httpx.Request | None]

TELLS: dict[str, Tell] = {
    "brevo": brevo.tell,
    "mailgun": mailgun.tell,
    "mailjet": mailjet.tell,
    "postmark": postmark.tell,
    "resend": resend.tell,
    "sendgrid": sendgrid.tell,
    "ses": ses.tell,
}
