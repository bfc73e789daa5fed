"""The vendors that the sandbox speaks for, one small file each, written from their documents alone: none of this is
shared with the adapters that call them.
"""

from automation.delivery.sandbox.vendors import (
    brevo,
    mailgun,
    mailjet,
    mailpit,
    postmark,
    resend,
    sendgrid,
    ses,
    twilio,
)
from automation.delivery.sandbox.vendors.vendor import KeyRules, Search, Send, Vendor

__all__ = ["VENDORS", "KeyRules", "Search", "Send", "Vendor"]

VENDORS: tuple[Vendor, ...] = (
    brevo.VENDOR,
    mailgun.VENDOR,
    mailjet.VENDOR,
    mailpit.VENDOR,
    postmark.VENDOR,
    resend.VENDOR,
    sendgrid.VENDOR,
    ses.VENDOR,
    twilio.VENDOR,
)
