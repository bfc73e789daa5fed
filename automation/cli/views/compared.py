"""The same customers under two lifecycles: a stage of the first in each row, of the second in each column."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from automation.cli.output import show_table
from automation.clock import local_text
from automation.lifecycle.conditions import Day
from automation.lifecycle.model import Lifecycle

Counts = Mapping[tuple[str, str], int]


def compared_told(counts: Counts, one: Lifecycle, other: Lifecycle, now: datetime) -> dict[str, Any]:
    """As `automation lifecycle compare --json` prints it."""
    return {
        "now": now,
        "a": one.key,
        "b": other.key,
        "stages_a": list(one.keys),
        "stages_b": list(other.keys),
        "customers": _rows(counts, one, other),
    }


def show_compared(counts: Counts, one: Lifecycle, other: Lifecycle, day: Day) -> None:
    """With the sum of each row and column; a pair in which nobody stands is left blank."""
    rows = _rows(counts, one, other)
    sums = [sum(column) for column in zip(*rows, strict=True)]
    title = f"{one.name} in rows, {other.name} in columns, as of {local_text(day.now, day.zone)}"
    table = [[key, *(count or None for count in row), sum(row)] for key, row in zip(one.keys, rows, strict=True)]
    show_table([one.key, *other.keys, "all"], [*table, ["all", *sums, sum(sums)]], title)


def _rows(counts: Counts, one: Lifecycle, other: Lifecycle) -> list[list[int]]:
    return [[counts[a, b] for b in other.keys] for a in one.keys]
