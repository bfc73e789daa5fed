"""I14 where rows can tell it: what a daily run says it did is there. (I4: nothing that was planned is missing.)

A run's passages carry the run's own instants, its stage changes its date. Messages are planned by dispatch too, at any
instant: of a run there are at least as many as it says.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from automation.database.schema import Shards, enrollments, messages, stage_changes
from automation.database.work import runs
from automation.delivery.verify.finding import Violation


@dataclass
class Figures:
    """Counts over all parts: an entry for each run and its instants, however many rows.

    Only runs are judged that were done before the counting began.
    """

    runs: Sequence[Row[Any]]
    entered: Counter[datetime] = field(default_factory=Counter)
    changes: Counter[date] = field(default_factory=Counter)

    def add(self, connection: Connection, shards: Shards) -> None:
        """Count a part."""
        for counts, table, column in (
            (self.entered, enrollments, enrollments.c.entered_at),
            (self.changes, stage_changes, stage_changes.c.day),
        ):
            rows = select(column, func.count()).where(shards.of(table)).group_by(column)
            counts.update(dict(connection.execute(rows).all()))

    def compared(self) -> Iterator[Violation]:
        """Call it when every part has been counted."""
        for run in self.runs:
            if run.finished_at >= run.started_at:  # else the clock went back in between
                yield from self._of(run)

    def _of(self, run: Row[Any]) -> Iterator[Violation]:
        said: Mapping[str, Any] = run.summary
        entered = sum(count for at, count in self.entered.items() if run.started_at <= at <= run.finished_at)
        told = sum(said.get("entered", {}).values())
        if entered != told:
            yield _violation(run, f"The run says that {told} entered a playbook; there are {entered} such passages.")
        changes = self.changes[run.date]
        if changes != said.get("changes", changes):
            yield _violation(run, f"The run says {said['changes']} stage changes; there are {changes} of its date.")
        if run.planned < said.get("planned", 0):
            yield _violation(run, f"The run says it planned {said['planned']} messages; only {run.planned} are there.")


def finished_runs(connection: Connection) -> Sequence[Row[Any]]:
    """The runs that are done, each with how many messages were planned meanwhile."""
    return connection.execute(select(runs, _planned()).where(runs.c.status == "done")).all()


def _planned() -> Any:
    """From the index by time alone."""
    within = messages.c.planned_at.between(runs.c.started_at, runs.c.finished_at)
    return select(func.count()).select_from(messages).where(within).correlate(runs).scalar_subquery().label("planned")


def _violation(run: Row[Any], told: str) -> Violation:
    return Violation("I14", {"date": run.date.isoformat()}, told)
