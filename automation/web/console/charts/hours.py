"""The hours of a day as columns, one state upon the other."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from automation.delivery.overview.day import Count
from automation.web.console.charts.scale import top_of

HOURS = 24
WIDTH, HEIGHT = 24, 100  # of a column's place, and of the drawing
# How states are put together, from the bottom up: what happened, what is to come, what did not.
STATES = {
    "sent": ("sent",),
    "waiting": ("planned", "sending"),
    "unknown": ("unknown",),
    "not_sent": ("skipped", "expired", "canceled"),
    "refused": ("rejected", "failed"),
}
GROUP = {status: group for group, statuses in STATES.items() for status in statuses}


@dataclass(frozen=True)
class Piece:
    """Of a column: SVG counts from above."""

    group: str
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Hours:
    """`counts` by hour and group; `groups` are those that occur; `later` are due after the day."""

    counts: Sequence[Mapping[str, int]]
    groups: Sequence[str]
    pieces: Sequence[Piece]
    top: int
    later: int


def hours(counts: Iterable[Count], day: date, zone: ZoneInfo) -> Hours:
    """In the zone's own hours; one that comes twice is one column."""
    found: list[Counter[str]] = [Counter() for _ in range(HOURS)]
    later = 0
    for one in counts:
        local = one.quarter.astimezone(zone)
        if local.date() > day:
            later += one.messages
        else:
            found[local.hour if local.date() == day else 0][GROUP[one.status]] += one.messages
    groups = [group for group in STATES if any(hour[group] for hour in found)]
    top = top_of(max(hour.total() for hour in found))
    return Hours(found, groups, _pieces(found, groups, top), top, later)


def _pieces(found: Sequence[Mapping[str, int]], groups: Sequence[str], top: int) -> list[Piece]:
    pieces = []
    for place, hour in enumerate(found):
        y = float(HEIGHT)
        for group in groups:
            height = HEIGHT * hour[group] / top
            y -= height
            if height:
                pieces.append(Piece(group, place * WIDTH + 2, round(y, 2), round(height, 2)))
    return pieces
