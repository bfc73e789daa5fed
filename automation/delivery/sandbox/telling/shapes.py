"""What the vendors' webhooks have in common: JSON in a POST, times, ids, a password where nothing is signed."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import httpx

from automation.delivery.sandbox.telling.telling import Ear, Happened


def in_json(url: str, body: Any, **headers: str) -> httpx.Request:
    """A POST of it; `_` in the name of a header is written as a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Request(
        "POST", url, headers={"content-type": "application/json", **named}, content=json.dumps(body).encode()
    )


def password(ear: Ear) -> str:
    """For vendors that sign nothing: basic authentication, as in the URL that was set up there."""
    return "Basic " + b64encode(f"sandbox:{ear.secret}".encode()).decode()


def event_id(happened: Happened) -> str:
    """The same for the same event, and for no other."""
    one = happened.message
    return str(uuid5(NAMESPACE_OID, f"{one.kind} {one.provider_id} {happened.number}"))


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rest_of(happened: Happened) -> dict[str, Any]:
    """What else stood in the request, as the vendor's file keeps it."""
    found: dict[str, Any] = json.loads(happened.message.fields)
    return found
