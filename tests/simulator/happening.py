"""The simulated time: what really passes, what the machine's clock says, and the order in which things happen."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

READING = timedelta(milliseconds=1)


@dataclass
class Time:
    """`true` is what a watch would say; the machine's clock may be wrong by `wrong`."""

    true: datetime
    wrong: timedelta = timedelta(0)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def clock(self) -> datetime:
        """The machine's clock. Reading it takes a moment, so that no two readings are the same."""
        self.true += READING
        return self.machine

    @property
    def machine(self) -> datetime:
        return self.true + self.wrong

    def passes(self, delta: timedelta) -> None:
        self.true += delta

    def until(self, moment: datetime) -> None:
        self.true = max(self.true, moment)

    def next(self) -> int:
        """The place of what happens now in the order of everything."""
        return next(self._numbers)
