"""The vendors that the sandbox speaks for, one small file each, written from their documents alone: none of this is
shared with the adapters that call them.
"""

from automation.delivery.sandbox.vendors import (
    aws_sms,
    bird,
    messagebird,
    plivo,
    postmark,
    resend,
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
    messagebird.VENDOR,
    plivo.VENDOR,
    postmark.VENDOR,
    resend.VENDOR,
    sinch.VENDOR,
    telnyx.VENDOR,
    twilio.VENDOR,
    vonage.VENDOR,
)
