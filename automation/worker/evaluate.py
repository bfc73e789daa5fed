"""One part of the daily run, in one short transaction: facts, stages, goals and exits, entries, messages planned."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from automation.customers.facts.compute import facts_table
from automation.customers.facts.refresh import prepare, refresh
from automation.database.schema import Shards
from automation.database.statistics import know_sizes
from automation.delivery.desk import Desk, open_desk
from automation.delivery.planning.plan import plan_day
from automation.delivery.versions import pin
from automation.lifecycle.evaluate import change_stages, customers_by_stage
from automation.playbooks.enroll import enter_playbooks, leave_playbooks, meet_goals
from automation.playbooks.load import Book
from automation.settings import Settings

GROWING = ("enrollments", "messages")
COUNTED = ("stages", "entered", "exited", "skipped", "held")


@dataclass
class PartSummary:
    """What one part did, or several together."""

    refreshed: int = 0
    changes: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    entered: Counter[str] = field(default_factory=Counter)
    exited: Counter[str] = field(default_factory=Counter)
    planned: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)

    def add(self, other: "PartSummary") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self) -> dict[str, Any]:
        """As `automation evaluate --json` prints it, and as the run's row keeps it."""
        counts = {name: dict(sorted(getattr(self, name).items())) for name in COUNTED}
        return {"refreshed": self.refreshed, "changes": self.changes, "planned": self.planned, **counts}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "PartSummary":
        counted: dict[str, Any] = {
            name: Counter(value) if isinstance(value, dict) else value for name, value in values.items()
        }
        return cls(**counted)


def prepare_run(connection: Connection, settings: Settings, book: Book, now: datetime) -> Desk:
    """Once for a run: the facts table fits facts.toml, and the text of every playbook is kept."""
    prepare(connection, book.facts)
    desk = open_desk(connection, settings, book)
    return Desk(settings, book, desk.identity, pin(connection, book, settings, now))


def evaluate_part(connection: Connection, desk: Desk, shards: Shards, run: date, now: datetime) -> PartSummary:
    """The whole daily work for a range of shards. Nothing in it loops over customers."""
    book, day = desk.book, desk.day(now)
    facts = facts_table(book.facts)
    playbooks = list(book.playbooks.values())
    summary = PartSummary()
    know_sizes(connection, GROWING)
    summary.refreshed = refresh(connection, book.facts, shards, now, run)
    summary.changes = change_stages(connection, book.lifecycle, facts, shards, day, run)
    # Counted here, while the rows are at hand.
    summary.stages = Counter(customers_by_stage(connection, book.lifecycle, facts, shards))
    meet_goals(connection, playbooks, day)
    summary.exited = leave_playbooks(connection, playbooks, facts, shards, day)
    summary.entered = enter_playbooks(connection, playbooks, desk.settings.holdout.everyone, facts, shards, day)
    planned = plan_day(connection, desk, shards, now)
    summary.planned, summary.skipped, summary.held = planned.count, planned.skipped, planned.held
    return summary
