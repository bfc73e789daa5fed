"""What the kept figures tell of one playbook."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from automation.playbooks.model import HOLDOUT
from automation.reports.arms import Arm
from automation.reports.compared import Compared, compared, place_of
from automation.reports.figures import Share
from automation.reports.kept import Kept
from automation.reports.lift import Lift

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Passed:
    """Of those who entered in the period: `arms` by what became of them, `exits` by reason. Of the messages planned in
    it: `steps` by status, `reasons` by step and status. `inside` is who waits for which step, by its place; `proof` the
    arms of half a year, as entered, closed and met.
    """

    arms: Mapping[str, Counts] = field(default_factory=dict)
    exits: Counts = field(default_factory=dict)
    steps: Mapping[str, Counts] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, Counts]] = field(default_factory=dict)
    inside: Counts = field(default_factory=dict)
    proof: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @property
    def in_order(self) -> list[tuple[str, Counts]]:
        """The arms, the holdout first."""
        return [(name, self.arms[name]) for name in sorted(self.arms, key=place_of)]

    @property
    def people_inside(self) -> int:
        return sum(self.inside.values())

    def total(self, name: str) -> int:
        """entered, met, sent, delivered, opened, clicked, unsubscribed or complained, over all arms."""
        return sum(arm[name] for arm in self.arms.values())

    @property
    def goal(self) -> Share:
        """Who met it so far, of those written to who entered: some have time left."""
        written = [arm for name, arm in self.arms.items() if name != HOLDOUT]
        return Share(sum(arm["met"] for arm in written), sum(arm["entered"] for arm in written))

    @cached_property
    def compared(self) -> list[Compared]:
        """The arms of half a year against each other; first everybody written to against the holdout."""
        counts = ((name, self.proof[name]) for name in sorted(self.proof, key=place_of))
        arms = {name: Arm(entered, closed, met) for name, (entered, closed, met) in counts}
        return list(compared(arms))

    @property
    def lift(self) -> Lift | None:
        """Of everybody written to over the holdout."""
        return next((lift for _, theirs, lift in self.compared if theirs == HOLDOUT), None)


def passed(kept: Kept | None, playbook: str) -> Passed:
    """Of what is kept under "playbooks". Nothing before it was counted."""
    found: Mapping[str, Any] = kept.counted["playbooks"].get(playbook, {}) if kept else {}
    return Passed(**{key: value for key, value in found.items() if key in Passed.__dataclass_fields__})
