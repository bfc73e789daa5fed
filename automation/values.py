"""The small languages inside our files: durations, rates, local times, windows and instants."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Annotated, Any, NamedTuple
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, PlainSerializer

UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
DURATION = re.compile(r"(\d{1,6}) (second|minute|hour|day|week)s?")
RATE = re.compile(r"(\d{1,6}(?:\.\d+)?)/(second|minute|hour|day)")
CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


# A spreadsheet runs a cell that begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Rate(NamedTuple):
    """So many in each period."""

    amount: float
    period: timedelta


class Window(NamedTuple):
    """Local wall times [start, end); a window whose start is later than its end passes midnight."""

    start: time
    end: time


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """All names of the IANA time zone database. Looked for once: they are a thousand files."""
    return frozenset(available_timezones())


def duration(text: str) -> timedelta:
    """Read `"36 hours"`. Raises ValueError for anything else."""
    found = DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError('a duration is written like "36 hours", "3 days" or "2 weeks"')
    return int(found[1]) * UNITS[found[2]]


def duration_text(value: timedelta) -> str:
    """The largest whole unit: 129600 seconds are `"36 hours"`."""
    for unit, size in sorted(UNITS.items(), key=lambda item: item[1], reverse=True):
        if value and value % size == timedelta(0):
            count = value // size
            return f"{count} {unit}" + ("" if count == 1 else "s")
    return f"{int(value.total_seconds())} seconds"


def rate(text: str) -> Rate:
    """Read `"50/second"`. Raises ValueError for anything else."""
    found = RATE.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found or float(found[1]) == 0:
        raise ValueError('a rate is written like "50/second" or "1000/hour"')
    return Rate(float(found[1]), UNITS[found[2]])


def clock_time(text: str) -> time:
    """Read `"08:30"`. Raises ValueError for anything else."""
    found = CLOCK_TIME.fullmatch(text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError('a time of day is written like "08:30", from "00:00" to "23:59"')
    return time(int(found[1]), int(found[2]))


def window(pair: Any) -> Window:
    """Read `["08:00", "21:00"]`. Raises ValueError for anything else."""
    if not isinstance(pair, list | tuple) or len(pair) != len(Window._fields):
        raise ValueError('a window is written like ["08:00", "21:00"]')
    opened = Window(*(one if isinstance(one, time) else clock_time(one) for one in pair))
    if opened.start == opened.end:
        raise ValueError("a window needs two different times")
    return opened


def instant(text: str) -> datetime:
    """Read ISO 8601 with an offset or `Z` into an aware UTC instant. Raises ValueError for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is no instant; write one like 2026-01-31T09:00:00Z') from None
    if found.tzinfo is None:
        plain = found.isoformat()
        raise ValueError(f'"{text}" has no offset; write one like {plain}Z or {plain}+01:00')
    return found if found.tzinfo is UTC else found.astimezone(UTC)


def instant_text(value: datetime) -> str:
    """ISO 8601 in UTC with `Z`, fractions only when there are some."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _once(read: Any, kind: type) -> Any:
    return lambda value: value if isinstance(value, kind) else read(value)


def _form(form: re.Pattern[str], example: str) -> Any:
    """How a text is written, for the JSON Schemas that editors read."""
    return Field(pattern=f"^(?:{form.pattern})$", examples=[example])


_Time = Annotated[str, _form(CLOCK_TIME, "08:30")]
Duration = Annotated[
    timedelta,
    BeforeValidator(_once(duration, timedelta), json_schema_input_type=Annotated[str, _form(DURATION, "36 hours")]),
    PlainSerializer(duration_text),
]
RateText = Annotated[
    Rate,
    BeforeValidator(_once(rate, Rate), json_schema_input_type=Annotated[str, _form(RATE, "50/second")]),
    PlainSerializer(lambda value: f"{value.amount:g}/{duration_text(value.period).split()[-1]}"),
]
ClockTime = Annotated[
    time,
    BeforeValidator(_once(clock_time, time), json_schema_input_type=_Time),
    PlainSerializer(lambda value: value.strftime("%H:%M")),
]
WindowPair = Annotated[
    Window,
    BeforeValidator(_once(window, Window), json_schema_input_type=tuple[_Time, _Time]),
    PlainSerializer(lambda value: [one.strftime("%H:%M") for one in value]),
]


def safe_cell(value: Any) -> Any:
    """A cell of CSV: text that a spreadsheet would run begins with an apostrophe; instants are ISO 8601."""
    if isinstance(value, datetime):
        return instant_text(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
