"""What every vendor's adapter offers, and the account it writes for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

import httpx

from automation.delivery.outgoing import Outgoing
from automation.delivery.replies import Answer, Reply
from automation.delivery.sought import Finding, Sought


@dataclass(frozen=True)
class Account:
    """Where and as whom to post: the settings of the same names. `account` is the public half of the credentials where
    there are two; `callback_url` is where the vendor is to tell what became of a message.
    """

    base_url: str
    token: str = field(repr=False)
    account: str | None = None
    messaging_service: str | None = None
    stream: str | None = None
    callback_url: str | None = None
    domain: str | None = None
    region: str | None = None
    configuration_set: str | None = None
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Want:
    """A setting of the account that has a form of its own.

    `told` says what to write. In the sandbox `sandbox` stands in its place; without it, the setting may be left out.
    """

    name: Literal["account", "messaging_service", "domain", "region"]
    form: re.Pattern[str]
    told: str
    sandbox: str | None = None


class Adapter(Protocol):
    """Pure translation: messages into one request, one answer into as many replies.

    `base_url`: the vendor's own, with `{region}` where it names one. `batch_limit` messages and `batch_bytes` of body
    fit into one call.
    """

    kind: str
    base_url: str
    batch_limit: int
    batch_bytes: int

    @property
    def wants(self) -> Sequence[Want]:
        """What the account has to have, besides its token."""

    @property
    def key_window(self) -> timedelta | None:
        """How long the provider surely remembers an idempotency key, though a clock is set back; None: it has none."""

    def size(self, message: Outgoing, account: Account) -> int:
        """How many bytes of the call's body this message takes."""

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:
        """The one call that posts these messages; the same input gives the same bytes."""

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        """One reply per message, in their order."""


@runtime_checkable
class Signs(Protocol):
    """What an adapter offers besides where a call is signed for, or names, the moment at which it is posted."""

    def signed(self, request: httpx.Request, account: Account, now: datetime) -> httpx.Request:
        """The same call with its signature or its instant; `now` is the real time, and the vendor has a clock too."""


@runtime_checkable
class LookUp(Protocol):
    """What an adapter offers besides where the vendor can be asked afterwards whether it took a message."""

    @property
    def looked_up_for(self) -> timedelta:
        """How long after the post it makes sense to ask."""

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        """The call that asks; it changes nothing there."""

    def found(self, answer: Answer, sought: Sought) -> Finding:
        """What the answer proves."""
