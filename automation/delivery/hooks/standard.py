"""Standard Webhooks, which Resend and Bird use: https://github.com/standard-webhooks/standard-webhooks

Its own library reads the clock, so its few lines are written here with the time as an argument.
"""

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta

from automation.delivery.hooks.hook import HookCall, HookKey
from automation.delivery.hooks.reading import decoded, encoded, same

TOLERANCE = timedelta(minutes=5)  # as the scheme's own libraries have it
LONGEST_NUMBER = 12


def is_signed(call: HookCall, key: HookKey, now: datetime) -> bool:
    """By headers `webhook-*` or, as the first who had them called them, `svix-*`."""
    call_id, at, signatures = (header(call, name) for name in ("id", "timestamp", "signature"))
    secret = decoded((key.secret or "").removeprefix("whsec_"))
    if not (secret and call_id and signatures and is_young(at, now)):
        return False
    signed = b".".join((encoded(call_id), at.encode(), call.body))
    expected = "v1," + b64encode(hmac.digest(secret, signed, "sha256")).decode()
    return any(same(one, expected) for one in signatures.split())


def header(call: HookCall, name: str) -> str:
    return call.headers.get(f"webhook-{name}") or call.headers.get(f"svix-{name}") or ""


def is_young(at: str, now: datetime) -> bool:
    """A number of seconds that is not further from now than the scheme allows."""
    if not (at.isascii() and at.isdigit() and len(at) <= LONGEST_NUMBER):
        return False
    try:
        return abs(now - datetime.fromtimestamp(int(at), UTC)) <= TOLERANCE
    except (OverflowError, ValueError, OSError):
        return False
