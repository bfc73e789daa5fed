"""A message of which nobody knows, and what a provider that was asked about it told: plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Sought:
    """It was posted between `since` and `until`, if at all. `text`: that of an SMS, to the letter; of an email none."""

    message_id: int
    kind: Literal["marketing", "transactional"]
    recipient: str
    text: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Found:
    """The provider has it. `has_our_id`: it says so itself; otherwise no other message of ours may look the same."""

    provider_id: str
    has_our_id: bool = True


@dataclass(frozen=True)
class NotThere:
    """Not seen there yet, or nothing that is certainly it. It proves nothing: what one searches may lag behind."""


@dataclass(frozen=True)
class NoIdea:
    """The provider did not answer the question."""

    reason: str


Finding = Found | NotThere | NoIdea
