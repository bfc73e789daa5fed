"""What may stand in a log: which kind of trouble and where, never to whom it happened nor what was written to them.

Our own lines name no address to begin with. These rules are for what others say: libraries, and exceptions on their
way up, whose texts may hold whatever was at hand.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from traceback import FrameSummary, extract_tb
from typing import Any

from sqlalchemy.exc import DBAPIError

from automation.errors import AutomationError

HIDDEN = "…"
LONGEST = 500
SHORTEST_SECRET = 6  # a shorter one would be found in every second word
OURS = "automation"
RULES = (
    (re.compile(r"//[^\s/@]+@"), f"//{HIDDEN}@"),  # a password in a URL
    (re.compile(r"\?[^\s\"'<>]*=[^\s\"'<>]*"), f"?{HIDDEN}"),
    (re.compile(r"/(u|p|s|r|welcome)/[^\s/\"'?<>]+"), rf"/\1/{HIDDEN}"),  # a link that is a key
    (re.compile(r"\b(bearer|basic)\s+\S+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"[^\s\"'<>(),;:=/\[\]{}@…]+(?:@|%40)[^\s\"'<>(),;:=/\[\]{}@]+", re.IGNORECASE), "[address]"),
    (re.compile(r"(?:\+|%2B)\d[\d ()./-]{5,18}\d", re.IGNORECASE), "[number]"),
)
# What a library quotes is data; what a database quotes after these words is a name from our schema.
QUOTED = re.compile(r"""(\b(?:constraint|relation|column|table|index) )?("[^"]*"?|'[^']*'?)""")


class Words:
    """Makes texts fit for a log; `secrets` are hidden wherever they turn up."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        found = sorted({one for one in secrets if len(one) >= SHORTEST_SECRET}, key=len, reverse=True)
        self._secrets = re.compile("|".join(map(re.escape, found))) if found else None

    def plain(self, text: str) -> str:
        """Without addresses, numbers, tokens and secrets."""
        hidden = self._secrets.sub(HIDDEN, text) if self._secrets else text
        for pattern, instead in RULES:
            hidden = pattern.sub(instead, hidden)
        return hidden

    def of_others(self, text: str) -> str:
        """One line of a library's, without what it quotes; of a printed exception its kind."""
        lines = text.strip().splitlines()
        if lines and lines[0].startswith("Traceback"):
            lines = [lines[-1].partition(":")[0]]
        return self.plain(QUOTED.sub(_name_or_nothing, lines[0] if lines else ""))[:LONGEST]

    def value(self, value: Any) -> Any:
        """A value of a line, as JSON has it."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {str(key): self.value(one) for key, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(one) for one in value]
        return self.plain(str(value))

    def trouble(self, error: BaseException) -> str:
        """Its kinds and places, from the last to the first cause: a line for each, then its innermost frames."""
        return "\n".join(line for one in _causes(error) for line in (self._kind(one), *_places(one)))

    def _kind(self, error: BaseException) -> str:
        name = type(error).__name__
        if isinstance(error, AutomationError):
            return f"{name}: {self.plain(str(error))}"
        if isinstance(error, DBAPIError):
            return f"{name}: {self.of_others(str(error.orig))}"
        if isinstance(error, OSError) and error.strerror:
            return f"{name}: {self.of_others(error.strerror)}"
        return name  # its text may be a message's, or a customer's


def _name_or_nothing(found: re.Match[str]) -> str:
    return found[0] if found[1] else HIDDEN


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _places(error: BaseException) -> Iterator[str]:
    """The frames of ours, and the last one whosever it is."""
    frames = list(extract_tb(error.__traceback__))
    for place, frame in enumerate(frames):
        if place == len(frames) - 1 or _is_ours(frame):
            yield f"  {_file(frame)}:{frame.lineno} in {frame.name}"


def _is_ours(frame: FrameSummary) -> bool:
    return OURS in Path(frame.filename).parts


def _file(frame: FrameSummary) -> str:
    parts = Path(frame.filename).parts
    start = len(parts) - 1 - parts[::-1].index(OURS) if OURS in parts else max(0, len(parts) - 2)
    return "/".join(parts[start:])
