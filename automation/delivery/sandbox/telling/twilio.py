"""Twilio's callbacks: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status"""

import hmac
from base64 import b64encode
from collections.abc import Mapping

import httpx

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.telling import Ear, Happened

ACCOUNT = "AC" + "0" * 32
# A status and an error's code: https://www.twilio.com/docs/api/errors
OUTCOMES = {
    "delivered": ("delivered", ""),
    "bounced_hard": ("undelivered", "30005"),
    "bounced_soft": ("undelivered", "30003"),
    "unsubscribed": ("failed", "21610"),
    "failed": ("undelivered", "30007"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    url = texts.status_url(ear.url, happened.message)
    if happened.outcome == "inbound":
        return _called(texts.asked(ear.url, {}), _inbound(happened), ear)
    return _called(url, _status(happened), ear)


def signature(url: str, fields: Mapping[str, str], token: str) -> dict[str, str]:
    """https://www.twilio.com/docs/usage/webhooks/webhooks-security"""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    return {"X-Twilio-Signature": b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()}


def _called(url: str, fields: dict[str, str] | None, ear: Ear) -> httpx.Request | None:
    return None if fields is None else texts.form(url, fields, signature(url, fields, ear.token or ""))


def _status(happened: Happened) -> dict[str, str] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (status, code) = happened.message, OUTCOMES[happened.outcome]
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": message.sender,
        "To": message.recipient,
        "MessageSid": message.provider_id,
        "SmsSid": message.provider_id,
        "MessageStatus": status,
        "SmsStatus": status,
        **({"ErrorCode": code} if code else {}),
        **({"MessagingServiceSid": message.stream} if message.stream else {}),
    }


def _inbound(happened: Happened) -> dict[str, str] | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    sid = f"SM{texts.event_hex(happened)}"
    return {
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "From": happened.message.recipient,
        "To": ours,
        "Body": happened.text,
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "NumMedia": "0",
        "NumSegments": "1",
    }
