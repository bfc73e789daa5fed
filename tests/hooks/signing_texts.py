"""Calls as the vendors sign them: as the sandbox does, with secrets that were made up here."""

from base64 import b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import jwt
from vectors import NOW

from automation.delivery.hooks import HookCall
from automation.delivery.sandbox import telling

TOKEN = "only a test's token, made up and of no use"
WEBHOOK_SECRET = "whsec_" + b64encode(b"only a test's secret").decode()
PUBLIC = telling.keys.public_keys()["telnyx"]


def with_headers(call: HookCall, **headers: str) -> HookCall:
    """Names with underlines for dashes."""
    named = {name.replace("_", "-").lower(): text for name, text in headers.items()}
    return replace(call, headers={**call.headers, **named})


def standard(call: HookCall, key: str = "msg_1", at: datetime = NOW, secret: str = WEBHOOK_SECRET) -> HookCall:
    return with_headers(call, **telling.bird.signature(call.body, secret, key, at))


def telnyx(call: HookCall, at: datetime = NOW) -> HookCall:
    return with_headers(call, **telling.telnyx.signature(call.body, at))


def sinch(call: HookCall, nonce: str = "n-1", at: str = "1772449200") -> HookCall:
    return with_headers(call, **telling.sinch.signature(call.body, TOKEN, nonce, at))


def token(claims: dict[str, Any], algorithm: str = "HS256", secret: str = TOKEN) -> str:
    return jwt.encode(claims, secret, algorithm=algorithm)


def vonage_claims(call: HookCall) -> dict[str, Any]:
    """Of a day ago: the vendor repeats for a day."""
    return telling.vonage.claims(call.body, NOW - timedelta(days=1), "j-1")


def vonage(call: HookCall, **claims: Any) -> HookCall:
    return with_headers(call, authorization=f"Bearer {token({**vonage_claims(call), **claims})}")


def messagebird_claims(call: HookCall) -> dict[str, Any]:
    return telling.messagebird.claims(call.url, call.body, NOW, "j-1")


def messagebird(call: HookCall, **claims: Any) -> HookCall:
    return with_headers(call, messagebird_signature_jwt=token({**messagebird_claims(call), **claims}))
