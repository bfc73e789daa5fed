"""Places in the order of many values that were counted by value."""

from collections.abc import Mapping
from decimal import Decimal


def median_of(counts: Mapping[int, int]) -> Decimal | None:
    """Exact: of an even number of values, half-way between the two in the middle. None of nothing."""
    total = sum(counts.values())
    if not total:
        return None
    low, high = _at(counts, (total - 1) // 2), _at(counts, total // 2)
    return Decimal(low + high) / 2


def _at(counts: Mapping[int, int], place: int) -> int:
    """The value at that place, from 0, in their order."""
    for value in sorted(counts):
        place -= counts[value]
        if place < 0:
            return value
    raise IndexError(place)


def percentile_of(counts: Mapping[int, int], percent: int) -> int | None:
    """The smallest value that at least so many percent do not exceed (the nearest rank). None of nothing."""
    total = sum(counts.values())
    return _at(counts, max(-(-total * percent // 100), 1) - 1) if total else None
