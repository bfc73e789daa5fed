"""What there is to an imitated vendor: where it takes messages, where it is asked for them, and how it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.mailbox import Mailbox

Send = Callable[[Post], Result]
Search = Callable[[Mailbox, Post, Mapping[str, str]], Result]


@dataclass(frozen=True)
class KeyRules:
    """How long a key is remembered, and what is answered to one that came with another body, or is being handled; and
    to one that came with the same body, unless it is the first answer again.
    """

    remembered: timedelta
    other_body: Result
    concurrent: Result
    same_body: Result | None = None


@dataclass(frozen=True)
class Vendor:
    """`sending`: by the path of a POST; `searching`: by the path of a GET, whose query is the third argument.

    `refusal`: the JSON of the error body with a status that was asked for by a fault.
    """

    kind: str
    sending: Mapping[str, Send]
    refusal: Callable[[int], Any]
    searching: Mapping[str, Search] = field(default_factory=dict)
    keys: KeyRules | None = None
