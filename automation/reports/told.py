"""What providers told of messages, each outcome once for a message, however often it was told."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, cast, func, select

from automation.database.schema import messages, outcomes
from automation.delivery.hooks.hook import OUTCOMES
from automation.reports.asked import Asked
from automation.reports.figures import Share

BITS: dict[str, int] = {outcome: 1 << place for place, outcome in enumerate(OUTCOMES)}


def told_of_message(asked: Asked) -> ColumnElement[int]:
    """All outcomes of a message as one number, by one look at their key; correlated to `messages`."""
    bit = case(BITS, value=outcomes.c.outcome, else_=0)
    mine = (
        outcomes.c.shard == messages.c.shard,
        outcomes.c.message_id == messages.c.message_id,
        outcomes.c.received_at <= asked.now,
    )
    found: Any = select(cast(func.coalesce(func.sum(bit.distinct()), 0), Integer)).where(*mine)
    scalar: ColumnElement[int] = found.correlate(messages).scalar_subquery()
    return scalar


class Told:
    """How many of the messages that were sent got which outcomes."""

    def __init__(self, counts: Mapping[int, int] | None = None) -> None:
        self._counts = Counter(counts or {})

    def add(self, outcomes_of_one: int, count: int) -> None:
        self._counts[outcomes_of_one] += count

    def __add__(self, other: "Told") -> "Told":
        return Told(self._counts + other._counts)

    @property
    def sent(self) -> int:
        return self._counts.total()

    @property
    def silent(self) -> bool:
        """Nothing was told of any."""
        return not any(self._counts.keys())

    @property
    def arrived(self) -> int:
        """Sent and not returned: what opens and clicks are a share of, because not every provider tells of delivery."""
        return sum(count for found, count in self._counts.items() if not _returned(found))

    def of_sent(self, outcome: str) -> Share:
        return Share(sum(count for found, count in self._counts.items() if found & BITS[outcome]), self.sent)

    def of_arrived(self, outcome: str) -> Share:
        found = (count for one, count in self._counts.items() if one & BITS[outcome] and not _returned(one))
        return Share(sum(found), self.arrived)

    @property
    def returned_softly(self) -> Share:
        """Bounced for now, and neither delivered after all, nor returned for good, nor given up."""
        final = BITS["bounced_hard"] | BITS["failed"]
        found = (count for one, count in self._counts.items() if _returned(one) and not one & final)
        return Share(sum(found), self.sent)


def _returned(found: int) -> bool:
    if found & (BITS["bounced_hard"] | BITS["failed"]):
        return True
    came_after_all = BITS["delivered"] | BITS["opened"] | BITS["clicked"]
    return bool(found & BITS["bounced_soft"]) and not found & came_after_all
