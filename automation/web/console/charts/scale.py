"""Round numbers for an axis, and numbers as SVG writes them."""

from math import floor, log10

NICE = (1, 2, 4, 6, 10)


def top_of(largest: float) -> int:
    """The next number that half of is round too: 1,234 ends at 2,000. At least 2."""
    if largest <= 2:  # noqa: PLR2004 (one and two customers)
        return 2
    size: int = 10 ** floor(log10(largest))
    return next(step * size for step in NICE if step * size >= largest)


def written(number: float) -> str:
    """With at most two digits, so that a page stays small."""
    return f"{number:.2f}".rstrip("0").rstrip(".")
