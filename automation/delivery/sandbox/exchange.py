"""What an imitated vendor says to one request."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from automation.delivery.sandbox.mailbox import Taken

LONGEST_NUMBER = 16


@dataclass(frozen=True)
class Post:
    """One request to send. `path`: the parameters in the URL; header names are in lower case."""

    headers: Mapping[str, str]
    path: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class Result:
    """`payload` is the JSON of the answer; None: it has no body, or `text` as plain text. `key`: the idempotency key
    under which it is the answer from now on.
    """

    status: int
    payload: Any
    taken: Sequence[Taken] = ()
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


def media_type(post: Post) -> str:
    return post.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_one_line(text: str) -> bool:
    """`isprintable` is fast, but refuses every space that is not ASCII too."""
    return text.isprintable() or all(unicodedata.category(one) != "Cc" for one in text)


def stamp(at: datetime) -> str:
    """Comparable as text."""
    return at.isoformat(timespec="microseconds")


async def body_of(request: Request, limit: int) -> bytes | None:
    """None when it has more bytes than that."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def number(text: str | None, default: int) -> int:
    """A parameter of a URL as a small number."""
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < LONGEST_NUMBER else default
