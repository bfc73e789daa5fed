"""Calendar months of the business zone, told apart in SQL without any time-zone arithmetic there."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, case, literal

from automation.clock import day_start, local_date

MONTHS = 12


class Months:
    """From the month of one local date to that of another, both included.

    `starts` are their first instants, `end` is the first one after them.
    """

    def __init__(self, first: date, last: date, zone: ZoneInfo) -> None:
        numbers = range(_number(first), _number(last) + 1)
        days = [date(number // MONTHS, number % MONTHS + 1, 1) for number in numbers]
        self.names = [f"{day:%Y-%m}" for day in days]
        self.starts = [day_start(day, zone) for day in days]
        self.end = day_start(first_of_month(last, -1), zone)

    @classmethod
    def between(cls, first: datetime, last: datetime, zone: ZoneInfo) -> "Months":
        return cls(local_date(first, zone), local_date(last, zone), zone)

    def place(self, instant: ColumnElement[Any]) -> ColumnElement[int]:
        """Which month an instant lies in, from 0: compared by halves, so that thirty years are nine comparisons."""
        return _halved(instant, self.starts, 0, len(self.starts))


def first_of_month(day: date, months_before: int = 0) -> date:
    """The first day of the month so many before that of the date."""
    number = _number(day) - months_before
    return date(number // MONTHS, number % MONTHS + 1, 1)


def _number(day: date) -> int:
    return day.year * MONTHS + day.month - 1


def _halved(instant: ColumnElement[Any], starts: Sequence[datetime], low: int, high: int) -> ColumnElement[int]:
    if high - low <= 1:
        return literal(low)
    middle = (low + high) // 2
    earlier = instant < literal(starts[middle], instant.type)
    return case((earlier, _halved(instant, starts, low, middle)), else_=_halved(instant, starts, middle, high))
