"""The arms of a playbook against each other: everybody written to, and each arm, against the holdout; then in pairs."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations
from typing import Any

from automation.playbooks.model import HOLDOUT, MAIN
from automation.reports.arms import Arm
from automation.reports.lift import Lift
from automation.reports.lift_words import in_words

WRITTEN_TO = "all written to"
LIFT_COLUMNS = ("playbook", "arm", "against", "points", "from", "to", "relative %", "p")
ORDER = {HOLDOUT: 0, MAIN: 1}
Compared = tuple[str, str, Lift]


def place_of(arm: str) -> tuple[int, str]:
    """The holdout comes first, then main, then variants by name."""
    return ORDER.get(arm, 2), arm


def compared(arms: Mapping[str, Arm]) -> Iterator[Compared]:
    """Each with the names of both, in the order of the arms; pairs with nobody to count in one of them are left out."""
    pairs = ((ours, theirs, Lift(one.goal, two.goal)) for ours, one, theirs, two in _pairs(arms))
    yield from (pair for pair in pairs if pair[2].difference is not None)


def _pairs(arms: Mapping[str, Arm]) -> Iterator[tuple[str, Arm, str, Arm]]:
    written = {name: arm for name, arm in arms.items() if name != HOLDOUT}
    if HOLDOUT in arms and written:
        yield WRITTEN_TO, sum(written.values(), Arm()), HOLDOUT, arms[HOLDOUT]
        if len(written) > 1:
            yield from ((name, arm, HOLDOUT, arms[HOLDOUT]) for name, arm in written.items())
    yield from ((two, written[two], one, written[one]) for one, two in combinations(written, 2))


def lift_row(key: str, ours: str, theirs: str, lift: Lift) -> tuple[Any, ...]:
    """As LIFT_COLUMNS say: the difference and its interval in points of a hundred."""
    low, high = lift.interval or (None, None)
    points = (_percent(one) for one in (lift.difference, low, high, lift.relative))
    p_value = lift.p_value
    return (key, ours, theirs, *points, None if p_value is None else round(Decimal(p_value), 4))


def words(key: str, ours: str, theirs: str, lift: Lift) -> tuple[str, str]:
    return key, in_words(lift, _who(ours), _who(theirs), "met the goal")


def _percent(fraction: float | None) -> Decimal | None:
    return None if fraction is None else round(Decimal(100 * fraction), 2)


def _who(arm: str) -> str:
    if arm == HOLDOUT:
        return "who were not written to"
    return "who were written to" if arm == WRITTEN_TO else f"in the arm {arm}"
