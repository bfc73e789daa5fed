"""An independent checker of the delivery promise: it reads the tables and shares no query with the code it checks.

Checked: I1 to I9, I12, I14 and I15 of the promise as far as rows tell, and as `history`, `runs`, `orphan` and `audit`
what they rest on. Not seen from here: what a provider took (the fault tests compare with the sandbox's own log),
subjects and headers (not kept), equal plans (I11), signatures of webhooks (I12), logs (I13), screens (I14).

One part of the shards after another, each scanned once or a few times in a transaction of its own and read as a stream:
memory does not grow with the ledger.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, func, inspect, select, true

from automation.database.audit import broken_links
from automation.database.engine import Database
from automation.database.schema import Shards, attempts, messages
from automation.database.types import EPOCH, MICROSECOND, Instant
from automation.database.work import runs
from automation.delivery.verify.figures import Figures, finished_runs
from automation.delivery.verify.finding import Scan, Violation, broken_by
from automation.delivery.verify.ledger_rows import message_scan
from automation.delivery.verify.local_time import outside_windows, over_caps
from automation.delivery.verify.other_rows import (
    HISTORY,
    ORPHANS,
    PASSAGES,
    STANDING,
    TWICE,
    customer_scan,
    whole_scans,
)
from automation.delivery.verify.permission import COMMIT, IMPORT, forbidden_posts
from automation.settings import Settings

__all__ = ["LISTED", "Report", "Violation", "verify"]

LISTED = 100  # of each invariant; all are counted
MESSAGES_A_PART = 50_000
DISPATCHING = timedelta(hours=1)
# What a person or a look-up found out about a message afterwards is no work of a dispatch.
DISPATCHED = func.coalesce(messages.c.reason, "").not_in(["looked_up", "resolved"])
CHAIN = "Row {} of the audit log is not the one that was written after the row before it."
Progress = Callable[[int, int], None]


@dataclass
class Report:
    """Every violation is counted by invariant, the first hundred of each are listed."""

    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def ok(self) -> bool:
        return not self.counts

    def add(self, violation: Violation) -> None:
        self.counts[violation.invariant] += 1
        if self.counts[violation.invariant] <= LISTED:
            self.violations.append(violation)

    def as_dict(self) -> dict[str, Any]:
        """As `automation verify --json` prints it."""
        counts = dict(sorted(self.counts.items()))
        return {"ok": self.ok, "violations": [one.as_dict() for one in self.violations], "counts": counts}


def verify(
    database: Database,
    settings: Settings,
    since: datetime | None = None,
    progress: Progress = lambda done, total: None,  # noqa: ARG005 (the shape of a progress bar)
) -> Report:
    """Check every row. Caps and windows, which have no history, are judged from `since` on."""
    report = Report()
    with database.reading() as connection:
        bound = _bound(connection)
        figures = Figures(finished_runs(connection))
        parts = list(_parts(connection))
        for scan in whole_scans(connection.dialect.name):
            for violation in broken_by(connection, scan, bound):
                report.add(violation)
        for broken in broken_links(connection):
            report.add(Violation("audit", {}, CHAIN.format(broken)))
    for number, shards in enumerate(parts, start=1):
        with database.reading() as connection:
            for violation in _of_part(connection, settings, shards, since or EPOCH, bound):
                report.add(violation)
            figures.add(connection, shards)
        progress(number, len(parts))
    for violation in figures.compared():
        report.add(violation)
    report.violations.sort(key=lambda one: one.invariant)
    return report


def _of_part(
    connection: Connection, settings: Settings, shards: Shards, since: datetime, bound: Mapping[str, Any]
) -> Iterator[Violation]:
    bound = {**bound, "first": shards.first, "last": shards.last}
    for scan in _scans(connection):
        yield from broken_by(connection, scan, bound)
    yield from forbidden_posts(connection, bound)
    yield from over_caps(connection, settings, shards, since)
    yield from outside_windows(connection, settings, shards, since)


def _scans(connection: Connection) -> Iterator[Scan]:
    dialect = connection.dialect.name
    yield from (*TWICE, message_scan(dialect), PASSAGES, *ORPHANS, customer_scan(dialect), HISTORY)
    if inspect(connection).has_table("facts"):  # it is made by the first run
        yield STANDING


def _parts(connection: Connection) -> Iterator[Shards]:
    """Ranges of shards with some 50,000 messages each."""
    count = connection.execute(select(func.count()).select_from(messages)).scalar_one()
    return Shards.parts(count, MESSAGES_A_PART)


def _bound(connection: Connection) -> dict[str, Any]:
    """Values of the scans, as the database stores instants and spans."""
    worked = _worked(connection)
    instants = {"worked": worked, "worked_yesterday": worked - timedelta(days=1)}
    spans = {"commit": COMMIT, "import": IMPORT}
    on_sqlite = connection.dialect.name == "sqlite"
    stored = Instant()
    return {
        **{name: stored.process_bind_param(one, connection.dialect) for name, one in instants.items()},
        **{name: one // MICROSECOND if on_sqlite else one for name, one in spans.items()},
    }


def _worked(connection: Connection) -> datetime:
    """The newest instant of work that is at least an hour older than the newest of all; see `ledger_rows`."""
    newest = _newest(connection, None)
    return (newest and _newest(connection, newest - DISPATCHING)) or EPOCH


def _newest(connection: Connection, until: datetime | None) -> datetime | None:
    found = [_newest_of(connection, one.c.finished_at, until) for one in (attempts, messages, runs)]
    return max((one for one in found if one is not None), default=None)


def _newest_of(connection: Connection, column: Column[datetime], until: datetime | None) -> datetime | None:
    newest = select(func.max(column)).where(DISPATCHED if column.table is messages else true())
    return connection.execute(newest.where(column <= until) if until else newest).scalar_one()
