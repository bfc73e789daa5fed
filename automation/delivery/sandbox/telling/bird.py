"""Bird's webhooks: https://bird.com/en-us/docs/guides/webhooks"""

from datetime import datetime
from typing import Any

import httpx
from standardwebhooks import Webhook

from automation.delivery.sandbox.telling import texts
from automation.delivery.sandbox.telling.shapes import instant, rest_of
from automation.delivery.sandbox.telling.telling import Ear, Happened

UNTEMPLATED = {
    "workspace_id": "ws_" + "0" * 26,
    "requested_language": None,
    "resolved_language": None,
    "template_id": None,
    "template_version_id": None,
    "template_content_hash": None,
}
# A type, an error's code and its words: https://bird.com/en-us/docs/api
OUTCOMES = {
    "delivered": ("sms.delivered", "", ""),
    "bounced_hard": ("sms.undelivered", "invalid_destination", "Unassigned number"),
    "bounced_soft": ("sms.undelivered", "unreachable", "Absent subscriber"),
    "unsubscribed": ("sms.rejected", "recipient_opted_out", "The recipient is on a suppression list"),
    "failed": ("sms.failed", "content_rejected", "Carrier filtered as spam"),
}


def tell(happened: Happened, ear: Ear) -> httpx.Request | None:
    found = _inbound(happened) if happened.outcome == "inbound" else _event(happened)
    if found is None:
        return None
    name, data = found
    content = texts.json_bytes({"type": name, "timestamp": instant(happened.at), "data": data})
    key = f"evt_{texts.event_letters(happened)}"
    return texts.json_call(ear.url, content, signature(content, ear.secret, key, happened.signed_at))


def signature(body: bytes, secret: str | None, key: str, at: datetime) -> dict[str, str]:
    """Without a secret there is none."""
    named = {"webhook-id": key, "webhook-timestamp": str(int(at.timestamp()))}
    return {**named, "webhook-signature": Webhook(secret).sign(key, at, body.decode())} if secret else named


def _event(happened: Happened) -> tuple[str, dict[str, Any]] | None:
    if happened.outcome not in OUTCOMES:
        return None
    message, (name, code, words) = happened.message, OUTCOMES[happened.outcome]
    fields = rest_of(happened)
    error = {"code": code, "description": words, "occurred_at": instant(happened.at)}
    return name, {
        **UNTEMPLATED,
        "sms_id": message.provider_id,
        "to": message.recipient,
        "from": message.sender,
        "tags": fields.get("tags"),
        "metadata": fields.get("metadata"),
        **({"error": error} if code else {}),
    }


def _inbound(happened: Happened) -> tuple[str, dict[str, Any]] | None:
    ours = texts.our_number(happened.message)
    if ours is None:
        return None
    encoding = "GSM_7BIT" if happened.text.isascii() else "UCS2"
    return "sms.received", {
        **UNTEMPLATED,
        "sms_id": f"sms_{texts.event_letters(happened)}",
        "to": ours,
        "from": happened.message.recipient,
        "tags": None,
        "metadata": None,
        "text": happened.text,
        "segments": {"count": 1, "encoding": encoding, "characters": len(happened.text)},
    }
