"""The send log counted in the database: the messages planned in the period, along the index by that time."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from automation.database.schema import messages
from automation.database.types import seconds_since_1970
from automation.reports.asked import Asked
from automation.reports.told import Told, told_of_message

QUARTER = timedelta(minutes=15)  # no zone's hour begins between two of them


class State(NamedTuple):
    """`reason` is None where none is needed."""

    channel: str
    status: str
    reason: str | None


@dataclass(frozen=True)
class Tries:
    """How many messages, and of them: posted at all, more than once, perhaps taken twice."""

    messages: int = 0
    posted: int = 0
    retried: int = 0
    doubtful: int = 0

    def __add__(self, other: "Tries") -> "Tries":
        return Tries(
            self.messages + other.messages,
            self.posted + other.posted,
            self.retried + other.retried,
            self.doubtful + other.doubtful,
        )


def states(asked: Asked) -> dict[State, Tries]:
    columns = messages.c
    counts = (
        func.count(),
        func.count().filter(columns.attempts > 0),
        func.count().filter(columns.attempts > 1),
        func.count().filter(columns.possible_duplicate),
    )
    key = (columns.channel, columns.status, columns.reason)
    rows = asked.connection.execute(select(*key, *counts).where(*_planned(asked)).group_by(*key))
    return {State(*row[:3]): Tries(*row[3:]) for row in rows}


def told(asked: Asked) -> dict[tuple[str, str], Told]:
    """Of the sent, by channel and provider."""
    each = _sent(asked, told_of_message(asked), messages.c.channel, func.coalesce(messages.c.provider, ""))
    found: defaultdict[tuple[str, str], Told] = defaultdict(Told)
    for outcomes, channel, provider, count in asked.connection.execute(each):
        found[channel, provider].add(outcomes, count)
    return dict(found)


def waits(asked: Asked) -> dict[str, Counter[int]]:
    """Whole seconds from due to sent, by channel."""
    seconds = seconds_since_1970(messages.c.sent_at, asked.dialect) - seconds_since_1970(
        messages.c.due_at, asked.dialect
    )
    found: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for waited, channel, count in asked.connection.execute(_sent(asked, seconds, messages.c.channel)):
        found[channel][max(waited, 0)] += count
    return dict(found)


def moments(asked: Asked) -> tuple[Counter[tuple[date, str]], Counter[tuple[int, str]]]:
    """Sent by local day and channel, and by hour of the local day and channel, in the business zone."""
    length = int(QUARTER.total_seconds())
    quarter = seconds_since_1970(messages.c.sent_at, asked.dialect) // length
    days: Counter[tuple[date, str]] = Counter()
    hours: Counter[tuple[int, str]] = Counter()
    for number, channel, count in asked.connection.execute(_sent(asked, quarter, messages.c.channel)):
        local = datetime.fromtimestamp(number * length, UTC).astimezone(asked.period.zone)
        days[local.date(), channel] += count
        hours[local.hour, channel] += count
    return days, hours


def _planned(asked: Asked) -> tuple[ColumnElement[bool], ...]:
    return messages.c.planned_at >= asked.start, messages.c.planned_at < asked.end


def _sent(asked: Asked, *columns: ColumnElement[Any]) -> Select[Any]:
    """How many of the sent have the same in these."""
    named = [column.label(f"column{place}") for place, column in enumerate(columns)]
    sent = (messages.c.status == "sent", messages.c.sent_at <= asked.now)
    each = select(*named).where(*_planned(asked), *sent).subquery("each")
    return select(*each.c, func.count()).group_by(*each.c)
