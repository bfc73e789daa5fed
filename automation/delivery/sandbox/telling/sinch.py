"""Sinch's callbacks: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/"""

import hmac
from base64 import b64encode
from typing import Any

import httpx

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.shapes import instant, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

SIGNATURE = "x-sinch-webhook-signature"
# A status and a code: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/
# Who opted out is not told of.
OUTCOMES = {
    "delivered": ("Delivered", 0),
    "bounced_hard": ("Rejected", 402),
    "bounced_soft": ("Failed", 404),
    "failed": ("Rejected", 408),
}
REPORTED = {"per_recipient", "per_recipient_final"}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    payload = _inbound(happened) if happened.outcome == "inbound" else _report(happened)
    if payload is None:
        return None
    content, nonce = texts.json_bytes(payload), texts.event_hex(happened)
    at = str(int(happened.signed_at.timestamp()))
    return texts.json_call(ear.url, content, signature(content, ear.secret, nonce, at))


def signature(body: bytes, secret: str | None, nonce: str, at: str) -> dict[str, str]:
    """https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/#tag/Webhooks/section/Callbacks

    A plan that does not sign has no secret.
    """
    if not secret:
        return {}
    digest = hmac.digest(secret.encode(), body + f".{nonce}.{at}".encode(), "sha256")
    named = {"nonce": nonce, "timestamp": at, "algorithm": "HmacSHA256"}
    headers = {f"{SIGNATURE}-{name}": text for name, text in named.items()}
    return {SIGNATURE: b64encode(digest).decode(), **headers}


def _report(happened: Happened) -> dict[str, Any] | None:
    """Only where the message wanted one of each recipient."""
    message = happened.message
    if happened.outcome not in OUTCOMES or rest_of(happened).get("delivery_report") not in REPORTED:
        return None
    status, code = OUTCOMES[happened.outcome]
    return {
        "type": "recipient_delivery_report_sms",
        "batch_id": message.provider_id,
        "recipient": texts.bare(message.recipient),
        "code": code,
        "status": status,
        "at": instant(happened.at),
        "operator_status_at": instant(happened.at),
        **({"client_reference": message.mid} if message.mid else {}),
    }


def _inbound(happened: Happened) -> dict[str, Any] | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    return {
        "type": "mo_text",
        "id": texts.event_letters(happened).upper(),
        "from": texts.bare(happened.message.recipient),
        "to": texts.bare(ours),
        "body": happened.text,
        "received_at": instant(happened.at),
    }
