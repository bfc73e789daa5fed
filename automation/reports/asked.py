"""What a report is asked for, and the reports by name."""

from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path

from sqlalchemy import Connection

from automation.database.types import MICROSECOND
from automation.errors import BadInput, suggest
from automation.lifecycle.model import Lifecycle
from automation.playbooks.load import Book
from automation.reports.figures import Report
from automation.reports.months import Months
from automation.reports.period import Period
from automation.settings import Settings

# Each is a module beside this one, read only when it is asked for.
REPORTS = (
    "funnel",
    "transitions",
    "rates",
    "satisfaction",
    "value",
    "cohorts",
    "playbooks",
    "delivery",
    "benchmark",
)

# What is looked at where no dates are given: calendar months; 30 days otherwise.
USUAL_MONTHS = {"cohorts": 12, "satisfaction": 12}


@dataclass(frozen=True)
class Asked:
    """`lifecycle` is the one in use or another to look through; what comes after `now` has not happened yet."""

    connection: Connection
    settings: Settings
    book: Book
    period: Period
    lifecycle: Lifecycle
    now: datetime
    playbook: str | None = None
    file: Path | None = None

    @property
    def start(self) -> datetime:
        return self.period.start

    @property
    def end(self) -> datetime:
        """The first instant that no longer counts."""
        return min(self.period.end, self.now + MICROSECOND)

    @property
    def months(self) -> Months:
        """Those that the period touches."""
        return Months(self.period.since, self.period.until, self.period.zone)

    @property
    def in_use(self) -> bool:
        """Whether the history of stages is this lifecycle's."""
        return self.lifecycle == self.book.lifecycle

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name


def check_name(name: str) -> None:
    """Raises BadInput for a name that is no report's."""
    if name not in REPORTS:
        raise BadInput(f'no report "{name}"; {suggest(name, REPORTS)}')


def report_of(name: str, asked: Asked) -> Report:
    made: Report = import_module(f"automation.reports.{name}").report(asked)
    return made
