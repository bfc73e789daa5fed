"""The vendors that the sandbox speaks for, one small file each, written from their documents alone: none of this is
shared with the adapters that call them.
"""

from automation.delivery.sandbox.vendors import (
    aws_sms,
    bird,
    brevo,
    mailgun,
    mailjet,
    mailpit,
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
from automation.delivery.sandbox.vendors.vendor import KeyRules, Search, Send, Vendor

__all__ = ["VENDORS", "KeyRules", "Search", "Send", "Vendor"]

VENDORS: tuple[Vendor, ...] = (
    aws_sms.VENDOR,
    bird.VENDOR,
    brevo.VENDOR,
    mailgun.VENDOR,
    mailjet.VENDOR,
    mailpit.VENDOR,
    messagebird.VENDOR,
    plivo.VENDOR,
    postmark.VENDOR,
    resend.VENDOR,
    sendgrid.VENDOR,
    ses.VENDOR,
    sinch.VENDOR,
    telnyx.VENDOR,
    twilio.VENDOR,
    vonage.VENDOR,
)
