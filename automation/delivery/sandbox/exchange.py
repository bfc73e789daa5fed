"""What an imitated vendor says to one request."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from automation.delivery.sandbox.mailbox import Taken


@dataclass(frozen=True)
class Post:
    """One request to send. `path`: the parameters in the URL; header names are in lower case."""

    headers: Mapping[str, str]
    path: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True)
class Result:
    """`payload` is the JSON of the answer. `key`: the idempotency key under which it is the answer from now on."""

    status: int
    payload: Any
    taken: Sequence[Taken] = ()
    key: str | None = None


def media_type(post: Post) -> str:
    return post.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_one_line(text: str) -> bool:
    """`isprintable` is fast, but refuses every space that is not ASCII too."""
    return text.isprintable() or all(unicodedata.category(one) != "Cc" for one in text)


def stamp(at: datetime) -> str:
    """Comparable as text."""
    return at.isoformat(timespec="microseconds")
