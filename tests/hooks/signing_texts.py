"""Calls as the vendors sign them, with keys that were made up here."""

import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook
from vectors import NOW

from automation.delivery.hooks import HookCall

TOKEN = "only a test's token, made up and of no use"
WEBHOOK_SECRET = "whsec_" + b64encode(b"only a test's secret").decode()
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = b64encode(PRIVATE.public_key().public_bytes_raw()).decode()


def with_headers(call: HookCall, **headers: str) -> HookCall:
    """Names with underlines for dashes."""
    return replace(call, headers={**call.headers, **{name.replace("_", "-"): text for name, text in headers.items()}})


def standard(call: HookCall, key: str = "msg_1", at: datetime = NOW, secret: str = WEBHOOK_SECRET) -> HookCall:
    signature = Webhook(secret).sign(key, at, call.body.decode())
    stamp = str(int(at.timestamp()))
    return with_headers(call, webhook_id=key, webhook_timestamp=stamp, webhook_signature=signature)


def telnyx(call: HookCall, at: datetime = NOW) -> HookCall:
    stamp = str(int(at.timestamp()))
    signature = b64encode(PRIVATE.sign(stamp.encode() + b"|" + call.body)).decode()
    return with_headers(call, telnyx_timestamp=stamp, telnyx_signature_ed25519=signature)


def sinch(call: HookCall, nonce: str = "n-1", at: str = "1772449200") -> HookCall:
    signed = call.body + f".{nonce}.{at}".encode()
    signature = b64encode(hmac.digest(TOKEN.encode(), signed, "sha256")).decode()
    named = {"nonce": nonce, "timestamp": at, "algorithm": "HmacSHA256"}
    headers = {f"x_sinch_webhook_signature_{name}": text for name, text in named.items()}
    return with_headers(call, x_sinch_webhook_signature=signature, **headers)


def token(claims: dict[str, Any], algorithm: str = "HS256", secret: str = TOKEN) -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def vonage_claims(call: HookCall) -> dict[str, Any]:
    """Of a day ago: the vendor repeats for a day."""
    issued = int((NOW - timedelta(days=1)).timestamp())
    return {"iat": issued, "jti": "j-1", "iss": "Vonage", "payload_hash": sha256(call.body).hexdigest()}


def vonage(call: HookCall, **claims: Any) -> HookCall:
    return with_headers(call, authorization=f"Bearer {token({**vonage_claims(call), **claims})}")


def messagebird_claims(call: HookCall) -> dict[str, Any]:
    at = int(NOW.timestamp())
    claims = {"iss": "MessageBird", "nbf": at, "exp": at + 60, "jti": "j-1"}
    body = {"payload_hash": sha256(call.body).hexdigest()} if call.body else {}
    return {**claims, **body, "url_hash": sha256(call.url.encode()).hexdigest()}


def messagebird(call: HookCall, **claims: Any) -> HookCall:
    return with_headers(call, messagebird_signature_jwt=token({**messagebird_claims(call), **claims}))
