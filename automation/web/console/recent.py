"""A count that takes long is shown again for a while, so that whoever looks often costs the database little."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

T = TypeVar("T")
QUICK = 0.05  # seconds; what is counted within that is counted every time
SHARE = 20  # it is shown again for so many times as long as it took
LONGEST = 60.0  # seconds


@dataclass
class Recent:
    """`clock` counts seconds."""

    clock: Callable[[], float] = time.monotonic
    _kept: dict[Hashable, tuple[float, object]] = field(default_factory=dict)
    _counting: Lock = field(default_factory=Lock)

    def of(self, key: Hashable, count: Callable[[], T]) -> T:
        """What `count` gave lately under this key, or gives now; two that ask at once wait for one count."""
        with self._counting:
            started = self.clock()
            until, known = self._kept.get(key, (started, None))
            if started < until:
                return known  # type: ignore[return-value]
            found = count()
            took = self.clock() - started
            self._kept = {other: kept for other, kept in self._kept.items() if kept[0] > started}
            if took >= QUICK:
                self._kept[key] = started + took + min(took * SHARE, LONGEST), found
            return found
