"""What two groups did differently, and whether that can be told from chance."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import erfc, exp, lgamma, sqrt
from statistics import NormalDist

from automation.reports.figures import Share

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
# Under so many expected in a cell of the table of four, the normal approximation of the test no longer serves.
# W. G. Cochran: Some methods for strengthening the common χ² tests. Biometrics 10 (1954), 417-451.
FEW = 5
NEARLY = 1e-7  # tables this close in probability count as equally likely, whatever the last digits say

Interval = tuple[float, float]


@dataclass(frozen=True)
class Lift:
    """The share of `ours` less the share of `theirs`, as fractions: 0.02 is two points of a hundred."""

    ours: Share
    theirs: Share

    @property
    def difference(self) -> float | None:
        """None where one of the groups is empty; from -1 to 1."""
        if not self._both:
            return None
        return self.ours.part / self.ours.whole - self.theirs.part / self.theirs.whole

    @property
    def relative(self) -> float | None:
        """The difference as a part of their share: 0.5 is half as much again. None where they have none."""
        difference = self.difference
        return None if difference is None or not self.theirs.part else difference / _fraction(self.theirs)

    @property
    def interval(self) -> Interval | None:
        """Where the true difference lies with 95 % confidence.

        Newcombe's hybrid of two Wilson intervals: R. G. Newcombe: Interval estimation for the difference between
        independent proportions. Statistics in Medicine 17 (1998), 873-890, method 10.
        """
        if not self._both:
            return None
        one, two = _fraction(self.ours), _fraction(self.theirs)
        (low_one, high_one), (low_two, high_two) = wilson(self.ours), wilson(self.theirs)
        below = sqrt((one - low_one) ** 2 + (high_two - two) ** 2)
        above = sqrt((high_one - one) ** 2 + (two - low_two) ** 2)
        return max(one - two - below, -1.0), min(one - two + above, 1.0)

    @property
    def p_value(self) -> float | None:
        """How often chance alone would make a difference at least as large, in either direction.

        By the pooled z test, which is the χ² test without correction; by Fisher's exact test where fewer than five are
        expected in a cell. None where one of the groups is empty.
        """
        if not self._both:
            return None
        return _fisher(self.ours, self.theirs) if self._expected < FEW else _pooled(self.ours, self.theirs)

    @property
    def is_clear(self) -> bool:
        """Whether the sample is large enough for what it shows: the interval leaves out 0, and chance alone would show
        as much less than once in twenty times. Both are asked, because near the edge, and with few, they may differ.
        """
        interval, p_value = self.interval, self.p_value
        if interval is None or p_value is None:
            return False
        return not interval[0] <= 0 <= interval[1] and p_value < 1 - CONFIDENCE

    @property
    def _both(self) -> bool:
        return self.ours.whole > 0 and self.theirs.whole > 0

    @property
    def _expected(self) -> float:
        """The fewest that are expected in a cell if there is no difference."""
        done, total = self.ours.part + self.theirs.part, self.ours.whole + self.theirs.whole
        return min(done, total - done) * min(self.ours.whole, self.theirs.whole) / total


def wilson(share: Share) -> Interval:
    """The 95 % score interval of a share of at least one. E. B. Wilson: JASA 22 (1927), 209-212."""
    part, whole, square = share.part, share.whole, Z * Z
    middle = (part + square / 2) / (whole + square)
    reach = Z / (whole + square) * sqrt(part * (whole - part) / whole + square / 4)
    found = _fraction(share)
    return max(min(middle - reach, found), 0.0), min(max(middle + reach, found), 1.0)


def _fraction(share: Share) -> float:
    return share.part / share.whole


def _pooled(one: Share, two: Share) -> float:
    pooled = (one.part + two.part) / (one.whole + two.whole)
    error = sqrt(pooled * (1 - pooled) * (1 / one.whole + 1 / two.whole))
    return erfc(abs(_fraction(one) - _fraction(two)) / error / sqrt(2))


def _fisher(one: Share, two: Share) -> float:
    """All tables with the same sums that are no more likely than this one, added up."""
    seen = _likely(one.part, one, two) * (1 + NEARLY)
    return min(sum(chance for chance in _tables(one, two) if chance <= seen), 1.0)


def _tables(one: Share, two: Share) -> Iterator[float]:
    done = one.part + two.part
    for part in range(max(0, done - two.whole), min(done, one.whole) + 1):
        yield _likely(part, one, two)


def _likely(part: int, one: Share, two: Share) -> float:
    """The hypergeometric chance that so many of all who did it are in the first group."""
    done = one.part + two.part
    ways = _ways(one.whole, part) + _ways(two.whole, done - part) - _ways(one.whole + two.whole, done)
    return exp(ways)


def _ways(whole: int, part: int) -> float:
    """The logarithm of the number of choices."""
    return lgamma(whole + 1) - lgamma(part + 1) - lgamma(whole - part + 1)
