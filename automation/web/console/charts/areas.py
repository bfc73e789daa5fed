"""A stacked area: how many are in each group over time, one upon the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from automation.web.console.charts.scale import top_of, written

WIDTH, HEIGHT = 1000, 400  # units that are stretched to the room there is
Counts = Mapping[date, Mapping[str, int]]


@dataclass(frozen=True)
class Area:
    """`points` are those of a polygon; `place` tells groups apart by color."""

    key: str
    place: int
    points: str


@dataclass(frozen=True)
class Areas:
    """`top` is where the axis ends; `dates` are the first, the middle and the last."""

    areas: Sequence[Area]
    top: int
    dates: Sequence[date]


def areas(counts: Counts, keys: Sequence[str]) -> Areas | None:
    """The first key lies at the bottom. None when there are not two dates to draw a line between."""
    days = sorted(counts)
    if len(days) < 2:  # noqa: PLR2004 (a line has two ends)
        return None
    top = top_of(max(sum(counts[day].get(key, 0) for key in keys) for day in days))
    across = [WIDTH * (day - days[0]).days / (days[-1] - days[0]).days for day in days]
    edges = _edges(counts, days, keys, top)
    found = [
        Area(key, place, _polygon(across, below, above))
        for place, (key, (below, above)) in enumerate(zip(keys, pairwise(edges), strict=True))
    ]
    return Areas(found, top, (days[0], days[0] + (days[-1] - days[0]) / 2, days[-1]))


def _edges(counts: Counts, days: Sequence[date], keys: Sequence[str], top: int) -> list[list[float]]:
    """The height of each line, the one at the bottom first; SVG counts from above."""
    sums = [0] * len(days)
    edges = [[float(HEIGHT)] * len(days)]
    for key in keys:
        sums = [total + counts[day].get(key, 0) for total, day in zip(sums, days, strict=True)]
        edges.append([HEIGHT * (1 - total / top) for total in sums])
    return edges


def _polygon(across: Sequence[float], below: Sequence[float], above: Sequence[float]) -> str:
    """Along the upper edge and back along the lower one."""
    there = list(zip(across, above, strict=True))
    back = list(zip(across, below, strict=True))[::-1]
    return " ".join(f"{written(x)},{written(y)}" for x, y in there + back)
