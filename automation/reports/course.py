"""The order of a lifecycle's stages, and what a change from one to another is in it."""

from collections.abc import Iterable

from automation.lifecycle.model import Lifecycle


class Course:
    """Stages by their place. Those of another lifecycle that history still names have none."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self.places = {key: place for place, key in enumerate(lifecycle.keys)}
        self.leaving = lifecycle.having("leaving")

    def in_order(self, stages: Iterable[str]) -> list[str]:
        """The lifecycle's own first."""
        return sorted(set(stages), key=lambda key: (self.places.get(key, len(self.places)), key))

    def move(self, before: str, after: str) -> str:
        """forward (to the next stage), skip (further on) or back, as the daily run writes it."""
        steps = self.places[after] - self.places[before]
        return "back" if steps < 0 else "forward" if steps == 1 else "skip"

    def outcome(self, before: str, after: str) -> str:
        """stayed, moved on, moved back, or left: a stage that means leaving is no step forward, wherever it stands."""
        if before == after:
            return "stayed"
        if after in self.leaving and before not in self.leaving:
            return "left"
        return "moved on" if self.places[after] > self.places[before] else "moved back"
