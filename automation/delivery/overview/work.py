"""Whether the work is being done: the daily run that is due, the workers, and what they left behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, func, select

from automation.clock import latest_run_date, to_utc
from automation.database.work import checks, downtimes, runs, workers
from automation.delivery.workers import is_gone
from automation.settings import Settings

GRACE = timedelta(minutes=15)  # after its hour; a worker looks every twenty seconds
LONG = timedelta(hours=1)  # a million customers take ten seconds, ten million on their first day six minutes
QUIET = timedelta(minutes=5)  # a worker signs every twenty seconds, but not while it starts
RunState = Literal["done", "running", "due", "missing", "stuck", "missed", "never"]
WorkerState = Literal["alive", "silent", "stopped", "none"]
NEEDS_SOMEBODY = frozenset({"missing", "stuck", "missed", "never"})


@dataclass(frozen=True)
class Run:
    """One daily run. `seconds`: how long it took; None of older ones and of those that are not done."""

    date: date
    status: str
    began_at: datetime | None
    finished_at: datetime | None
    summary: Mapping[str, Any]

    @property
    def seconds(self) -> float | None:
        return self.summary.get("seconds")


@dataclass(frozen=True)
class Duty:
    """The run that is due: of which date, since when, and whether it was done."""

    date: date
    due_at: datetime
    state: RunState

    @property
    def needs_somebody(self) -> bool:
        return self.state in NEEDS_SOMEBODY


@dataclass(frozen=True)
class WorkerLife:
    """A worker's signs of life."""

    name: str
    started_at: datetime
    seen_at: datetime
    stopped_at: datetime | None
    state: WorkerState


def duty(connection: Connection, settings: Settings, now: datetime) -> Duty:
    """Of the newest date whose hour has come in the business zone."""
    zone, at = settings.business.zone, settings.schedule.evaluate_at
    day = latest_run_date(now, zone, at)
    due_at = to_utc(datetime.combine(day, at), zone)
    row = connection.execute(select(*runs.c["status", "started_at"]).where(runs.c.date == day)).one_or_none()
    if row is None and connection.execute(select(runs.c.date).limit(1)).first() is None:
        return Duty(day, due_at, "never")
    return Duty(day, due_at, _state(row, due_at, now))


def _state(row: Row[Any] | None, due_at: datetime, now: datetime) -> RunState:
    if row is None:
        return "missing" if now - due_at > GRACE else "due"
    if row.status == "running":
        return "stuck" if now - row.started_at > LONG else "running"
    return "done" if row.status == "done" else "missed"


def latest_runs(connection: Connection, limit: int = 1, *, done: bool = False) -> list[Run]:
    """The newest first; with `done` only those that were finished."""
    rows = select(*runs.c["date", "status", "started_at", "finished_at", "summary"])
    if done:
        rows = rows.where(runs.c.status == "done")
    found = connection.execute(rows.order_by(runs.c.date.desc()).limit(limit))
    return [Run(row.date, row.status, row.started_at, row.finished_at, row.summary or {}) for row in found]


def last_completed(connection: Connection) -> datetime | None:
    """When a run was finished last."""
    return connection.execute(select(func.max(runs.c.finished_at)).where(runs.c.status == "done")).scalar()


def worker_lives(connection: Connection, now: datetime) -> list[WorkerLife]:
    """Who worked in the last month, the newest sign of life first."""
    rows = select(*workers.c["name", "started_at", "seen_at", "stopped_at"]).order_by(workers.c.seen_at.desc())
    found = connection.execute(rows).all()
    return [WorkerLife(one.name, one.started_at, one.seen_at, one.stopped_at, _life(one, now)) for one in found]


def _life(row: Row[Any], now: datetime) -> WorkerState:
    if row.stopped_at is not None:
        return "stopped"
    return "silent" if now - row.seen_at > QUIET or is_gone(row.name) else "alive"


def working(lives: Sequence[WorkerLife]) -> WorkerState:
    """Whether anybody works: the best that can be said of them; "none" where no worker ever ran."""
    states = {one.state for one in lives}
    if "alive" in states or not lives:
        return "alive" if lives else "none"
    return lives[0].state


def latest_downtimes(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """`began_at`, `ended_at` and `cost` (None until it has been worked out), the newest first."""
    return connection.execute(select(downtimes).order_by(downtimes.c.began_at.desc()).limit(limit)).all()


def latest_checks(connection: Connection, limit: int) -> Sequence[Row[Any]]:
    """The nightly checks of the promise, the newest first."""
    return connection.execute(select(checks).order_by(checks.c.date.desc()).limit(limit)).all()
