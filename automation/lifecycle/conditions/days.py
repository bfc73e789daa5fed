"""Whole calendar days of the business zone as intervals of instants: the one meaning of everything about days."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from automation.clock import day_start, local_date
from automation.lifecycle.conditions.syntax import INVERSE, Comparison, Days, Op

FIRST_INSTANT = datetime.min.replace(tzinfo=UTC)
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Day:
    """When a condition is asked: an instant, and the zone whose calendar counts."""

    now: datetime
    zone: ZoneInfo

    @property
    def ordinal(self) -> int:
        return local_date(self.now, self.zone).toordinal()

    def cutoff(self, days: int) -> datetime:
        """The first UTC instant of the local date so many days from now; beyond the calendar, its first or last."""
        return self.start(self.ordinal + days)

    def start(self, ordinal: int) -> datetime:
        try:
            return day_start(date.fromordinal(ordinal), self.zone)
        except (ValueError, OverflowError):
            return FIRST_INSTANT if ordinal < self.ordinal else LAST_INSTANT

    def days_since(self, instant: datetime) -> int:
        try:
            return self.ordinal - local_date(instant, self.zone).toordinal()
        except OverflowError:  # the zone's date lies outside the calendar
            return self.ordinal - instant.toordinal()


class Interval(NamedTuple):
    """Instants [start, end); None is open."""

    start: datetime | None
    end: datetime | None

    def __contains__(self, instant: object) -> bool:
        if not isinstance(instant, datetime):
            return False
        return (self.start is None or instant >= self.start) and (self.end is None or instant < self.end)


class Span(NamedTuple):
    """Whole numbers from first to last, both included; None is open."""

    first: int | None
    last: int | None


def intervals(comparison: Comparison, day: Day) -> list[Interval]:
    """The instants for which a comparison with dates or with numbers of days holds: disjoint and adjoining nowhere."""
    spans = _dates(comparison, day)
    return [
        Interval(
            None if span.first is None else day.start(span.first),
            None if span.last is None else day.start(span.last + 1),
        )
        for span in spans
    ]


def _dates(comparison: Comparison, day: Day) -> list[Span]:
    """The local dates, as ordinals, on which the stored instant may lie."""
    values = comparison.right if isinstance(comparison.right, tuple) else ()
    if not isinstance(comparison.subject, Days):
        return _spans(comparison.op, [Decimal(one.toordinal()) for one in values if isinstance(one, date)])
    spans = _spans(comparison.op, [one for one in values if isinstance(one, Decimal)])
    today = day.ordinal
    if comparison.subject.until:
        return [Span(_moved(span.first, today), _moved(span.last, today)) for span in spans]
    return [Span(_mirrored(span.last, today), _mirrored(span.first, today)) for span in spans]


def _moved(number: int | None, by: int) -> int | None:
    return None if number is None else by + number


def _mirrored(number: int | None, at: int) -> int | None:
    return None if number is None else at - number


def _spans(op: Op, values: Sequence[Decimal]) -> list[Span]:
    """The whole numbers for which `number op values` holds; a value may lie between two of them."""
    if op in HALVES:
        return [HALVES[op](values[0])]
    if op == "between":
        span = Span(_ceiling(values[0]), _floor(values[1]))
        return [] if _floor(values[1]) < _ceiling(values[0]) else [span]
    if op in ("=", "in"):
        return _joined(sorted({int(one) for one in values if one == _floor(one)}))
    return _complement(_spans(INVERSE[op], values))


def _joined(numbers: Sequence[int]) -> list[Span]:
    """Neighbors become one span."""
    starts = [one for one in numbers if one - 1 not in numbers]
    ends = [one for one in numbers if one + 1 not in numbers]
    return [Span(*pair) for pair in zip(starts, ends, strict=True)]


def _complement(spans: Sequence[Span]) -> list[Span]:
    """What lies outside spans that are bounded, in order and apart."""
    firsts = [None, *(_moved(span.last, 1) for span in spans)]
    lasts = [*(_moved(span.first, -1) for span in spans), None]
    return [Span(*pair) for pair in zip(firsts, lasts, strict=True)]


def _floor(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_FLOOR))


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_CEILING))


HALVES: dict[str, Callable[[Decimal], Span]] = {
    "<": lambda value: Span(None, _ceiling(value) - 1),
    "<=": lambda value: Span(None, _floor(value)),
    ">": lambda value: Span(_floor(value) + 1, None),
    ">=": lambda value: Span(_ceiling(value), None),
}
