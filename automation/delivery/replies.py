"""What comes back from a provider: plain values, shared by the adapters, the door and the ledger."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

DETAIL_LIMIT = 200
ADDRESS = re.compile(r"[^\s@<>\"',;:()]+@[^\s@<>\"',;:()]+")
NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){6,}")


@dataclass(frozen=True)
class Answer:
    """One HTTP answer. Header names are in lower case; `complete` is False when the body was cut off or too large."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    complete: bool = True


@dataclass(frozen=True)
class Failure:
    """No HTTP answer at all. Only `before_first_byte` proves that the provider took nothing."""

    before_first_byte: bool
    reason: str


@dataclass(frozen=True)
class Accepted:
    """The provider took the message over; it is never sent again."""

    provider_id: str | None
    flags: tuple[str, ...] = ()
    http_status: int | None = None


@dataclass(frozen=True)
class Refused:
    """It will never work as it is.

    `scope` account: the provider is the problem and the message stays queued. `whole_call`: the provider refused the
    call without looking at each message, took none of them, and each may be posted alone.
    """

    reason: str
    scope: Literal["recipient", "message", "account"]
    detail: str
    suppress: Literal["unsubscribed", "bounced_hard"] | None = None
    whole_call: bool = False
    http_status: int | None = None


@dataclass(frozen=True)
class Later:
    """Certainly not taken. `after` is the provider's own wish; `throttled` slows the whole provider."""

    after: timedelta | None
    reason: str
    throttled: bool
    http_status: int | None = None


@dataclass(frozen=True)
class Unknown:
    """It may or may not have been taken."""

    reason: str
    http_status: int | None = None


Reply = Accepted | Refused | Later | Unknown


def masked(text: str) -> str:
    """A vendor's words, fit for a log: one line, no address, no phone number, at most 200 characters."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return NUMBER.sub("[number]", ADDRESS.sub("[address]", line))[:DETAIL_LIMIT]
