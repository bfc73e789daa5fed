"""Counting what a dispatch did."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Tally:
    """Messages by the state they ended in, and by the reason why they wait or were skipped.

    `overslept`: those that expired after they had been due for long, and nobody had looked.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    overslept: int = 0

    def note(self, status: str, reason: str | None) -> None:
        self.statuses[status] += 1
        if status in {"skipped", "canceled"} and reason:
            self.skipped[reason] += 1
        elif status in {"planned", "sending"} and reason:
            self.held[reason] += 1

    @contextmanager
    def unless_undone(self) -> Iterator[None]:
        """What fails is taken back, and its counts too."""
        before = deepcopy(vars(self))
        try:
            yield
        except Exception:
            vars(self).update(before)
            raise

    def as_dict(self, seconds: float) -> dict[str, Any]:
        return {
            "sent": self.statuses["sent"],
            "held": dict(sorted(self.held.items())),
            "skipped": dict(sorted(self.skipped.items())),
            **{name: self.statuses[name] for name in ("rejected", "failed", "expired", "unknown")},
            "seconds": round(seconds, 3),
        }
