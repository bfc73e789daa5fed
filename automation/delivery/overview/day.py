"""The messages planned since an instant, counted in one pass along the index by that time."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Integer, Interval, func, literal, select, type_coerce

from automation.database.schema import PLANNED, messages
from automation.database.types import EPOCH, MICROSECOND, Instant
from automation.settings import CHANNELS

QUARTER = timedelta(minutes=15)  # no zone's hour begins between two of them
NOT_SENT = frozenset({"skipped", "expired", "canceled", "rejected", "failed"})


class Count(NamedTuple):
    """So many messages alike. `quarter` begins the quarter of an hour in which they were sent or ended, or are due;
    `reason` is None where none is needed.
    """

    quarter: datetime
    channel: str
    playbook: str
    status: str
    reason: str | None
    messages: int


class Due(NamedTuple):
    """So many messages of a playbook that are due in the quarter of an hour that begins then."""

    quarter: datetime
    playbook: str
    channel: str
    messages: int


@dataclass(frozen=True)
class Day:
    """Everything that was planned since then."""

    since: datetime
    counts: tuple[Count, ...]

    @property
    def statuses(self) -> Counter[str]:
        return _added((one.status, one.messages) for one in self.counts)

    @property
    def held(self) -> Counter[str]:
        """Those that wait for a reason, by that reason."""
        return _added((one.reason, one.messages) for one in self.counts if one.reason and one.status == "planned")

    @property
    def not_sent(self) -> Counter[str]:
        """Those that ended without being sent, by reason."""
        return _added((one.reason, one.messages) for one in self.counts if one.reason and one.status in NOT_SENT)


def day_since(connection: Connection, since: datetime) -> Day:
    """What was planned from then on, as it stands."""
    happened = func.coalesce(messages.c.sent_at, messages.c.finished_at, messages.c.due_at)
    key = (_quarter(connection, happened), *messages.c["channel", "playbook", "status", "reason"])
    each = select(*key).where(messages.c.planned_at >= since).subquery("each")
    rows = connection.execute(select(*each.c, func.count()).group_by(*each.c))
    return Day(since, tuple(Count._make(row) for row in rows))


def due_next(connection: Connection, since: datetime, until: datetime) -> list[Due]:
    """What waits and is due in [since, until), the earliest first, along the index of open rows."""
    key = (_quarter(connection, messages.c.due_at), *messages.c["playbook", "channel"])
    due = (PLANNED, messages.c.channel.in_(CHANNELS), messages.c.due_at >= since, messages.c.due_at < until)
    each = select(*key).where(*due).subquery("each")
    rows = connection.execute(select(*each.c, func.count()).group_by(*each.c).order_by(*each.c))
    return [Due._make(row) for row in rows]


def _quarter(connection: Connection, instant: ColumnElement[datetime]) -> ColumnElement[datetime]:
    """The beginning of its quarter of an hour: whole numbers on both databases, as PostgreSQL's epoch is not."""
    if connection.dialect.name == "postgresql":
        binned = func.date_bin(literal(QUARTER, Interval), instant, literal(EPOCH, Instant))
        return type_coerce(binned, Instant).label("quarter")
    length = QUARTER // MICROSECOND
    return type_coerce(type_coerce(instant, Integer) // length * length, Instant).label("quarter")


def _added(counts: Iterable[tuple[str, int]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for key, count in counts:
        found[key] += count
    return found
