"""Signed tokens, which Vonage and MessageBird send along with a call: https://datatracker.ietf.org/doc/html/rfc7519"""

from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from jwt import PyJWTError, decode

from automation.delivery.hooks.reading import same

# One algorithm alone: a token that may name its own can be made by anybody.
ALGORITHM = "HS256"
CLOCKS = timedelta(minutes=1)  # that theirs and ours may differ
# The library would look at a clock of its own; what is said of the time is checked here.
UNCHECKED: Any = {f"verify_{name}": False for name in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}


def claims_of(token: str, secret: str | None, now: datetime) -> dict[str, Any] | None:
    """What a token says that was signed with our secret and holds now; None for any other."""
    if not (token and secret):
        return None
    try:
        claims: dict[str, Any] = decode(token, secret, algorithms=[ALGORITHM], options=UNCHECKED)
    except (PyJWTError, ValueError, TypeError, RecursionError):
        return None
    return claims if _holds(claims, now) else None


def has_hash(claims: dict[str, Any], name: str, content: bytes) -> bool:
    given = claims.get(name)
    return isinstance(given, str) and same(given, sha256(content).hexdigest())


def _holds(claims: dict[str, Any], now: datetime) -> bool:
    """It need not say from when and until when; what it says must be a number."""
    start, end = claims.get("nbf", 0), claims.get("exp", float("inf"))
    if not (isinstance(start, int | float) and isinstance(end, int | float)):
        return False
    at, either_way = now.timestamp(), CLOCKS.total_seconds()
    return start - either_way <= at < end + either_way
