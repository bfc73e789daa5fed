"""Links that speak for one message: its id with a signature. They never expire, for a mail is kept for years."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Iterable
from typing import Literal

from automation.settings import Settings

ID_BYTES, SIGNATURE_BYTES = 8, 16
LENGTH = 32  # characters of base64

# Signed along with the id, so that a link for one thing is none for another. Those for preferences may unsubscribe too.
Purpose = Literal["unsubscribe", "survey"]


def keys_of(settings: Settings, identity: str) -> list[str]:
    """The first signs. Links that were signed with the one before it, or before there was any, are good for ever."""
    configured = (settings.secret_key, settings.previous_secret_key)
    return [*(one.get_secret_value() for one in configured if one is not None), identity]


def make_token(key: str, message_id: int, purpose: Purpose = "unsubscribe") -> str:
    return urlsafe_b64encode(message_id.to_bytes(ID_BYTES) + _signature(key, message_id, purpose)).decode()


def read_token(keys: Iterable[str], token: str, purpose: Purpose = "unsubscribe") -> int | None:
    """The message's id; None for what none of these keys has signed for this purpose."""
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        given = urlsafe_b64decode(token)
    except (Error, ValueError):
        return None
    message_id = int.from_bytes(given[:ID_BYTES])
    good = [hmac.compare_digest(given[ID_BYTES:], _signature(key, message_id, purpose)) for key in keys]
    return message_id if any(good) else None


def _signature(key: str, message_id: int, purpose: Purpose) -> bytes:
    return hmac.digest(key.encode(), f"{purpose}:{message_id}".encode(), "sha256")[:SIGNATURE_BYTES]
