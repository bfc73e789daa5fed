"""What a vendor calls us with, what it tells, and what every vendor's hook offers: plain values and pure functions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, get_args

Outcome = Literal[
    "delivered",
    "bounced_hard",
    "bounced_soft",
    "complained",
    "unsubscribed",
    "opened",
    "clicked",
    "failed",
    "info",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class HookCall:
    """One HTTP call as it came. Header names are in lower case; `url` is the public one, with its query."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class HookKey:
    """What signatures are checked with. `token` is the provider's own secret, `secret` the one for its webhooks alone;
    `public` stands in the configuration, for it opens nothing. `certificates`: what was fetched, by the URLs that
    `sns.certificate_url` allows.
    """

    token: str | None = field(default=None, repr=False)
    secret: str | None = field(default=None, repr=False)
    public: str | None = None
    certificates: Mapping[str, bytes] = field(default_factory=dict, repr=False, hash=False)


@dataclass(frozen=True)
class Event:
    """What became of one message. `key` is the same when the vendor tells it again, and of no other event.

    `name` is the vendor's own word. `message_id` is our own id, where the vendor sends it back; `detail` is its reason,
    without an address.
    """

    key: str
    outcome: Outcome
    name: str
    happened_at: datetime | None = None
    message_id: int | None = None
    provider_id: str | None = None
    recipient: str | None = None
    detail: str = ""


@dataclass(frozen=True)
class InboundText:
    """A text that somebody sent to us. `word`: what the provider itself took it for and has answered."""

    key: str
    sender: str
    recipient: str
    text: str
    happened_at: datetime | None = None
    word: Literal["stop", "start", "help"] | None = None


Told = Event | InboundText


class Hook(Protocol):
    """Pure translation: a call is genuine or not, and tells this."""

    kind: str

    @property
    def checked_with(self) -> str:
        """Which part of the key: `token`, `secret` or `public`."""

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        """By the raw bytes. False for whatever cannot be checked; never raises."""

    def told(self, call: HookCall) -> Sequence[Told]:
        """What a genuine call tells; what is not understood in it is left out. Never raises."""
