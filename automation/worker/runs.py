"""Which local dates are due, and who works on which part of them. Running a date twice adds nothing."""

import time
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select, update

from automation.clock import latest_run_date, local_date
from automation.customers.facts.compute import facts_table
from automation.database.engine import Database
from automation.database.schema import Shards
from automation.database.work import run_parts, runs
from automation.delivery.desk import Desk
from automation.delivery.workers import is_gone
from automation.faultpoints import reach
from automation.lifecycle.evaluate import customers_by_any_stage
from automation.playbooks.load import Book
from automation.settings import Settings
from automation.values import instant_text
from automation.worker.begin import begin, parts
from automation.worker.evaluate import PartSummary, evaluate_part, prepare_run

LEASE = timedelta(minutes=10)
NO_DATE = date.max  # a dry run is of none: today's may be done, with changes of its own
Stopping = Callable[[], bool]


class DryRun(Exception):
    """Takes a dry run's transaction back."""


def tick(
    database: Database, settings: Settings, book: Book, worker: str, now: datetime, stopping: Stopping = lambda: False
) -> dict[str, Any] | None:
    """Do the run that is due, if one is: the newest date whose hour has come. Older ones count as missed."""
    if is_settled(database, settings, now):
        return None
    return run_date(database, settings, book, worker, due_date(settings, now), now, stopping)


def due_date(settings: Settings, now: datetime) -> date:
    """The newest date whose hour has come."""
    return latest_run_date(now, settings.business.zone, settings.schedule.evaluate_at)


def is_settled(database: Database, settings: Settings, now: datetime) -> bool:
    """Whether the date that is due was run; after a clock that went ahead and came back it may count as missed."""
    over = (runs.c.date == due_date(settings, now), runs.c.status.in_(["done", "missed"]))
    with database.reading() as connection:
        return connection.execute(select(runs.c.date).where(*over)).first() is not None


def evaluate(database: Database, settings: Settings, book: Book, worker: str, now: datetime) -> dict[str, Any]:
    """The run of `now`'s local date, by hand."""
    return run_date(database, settings, book, worker, local_date(now, settings.business.zone), now)


def run_date(
    database: Database,
    settings: Settings,
    book: Book,
    worker: str,
    day: date,
    now: datetime,
    stopping: Stopping = lambda: False,
) -> dict[str, Any]:
    """Insert the run unless it is there, work on its free parts, and finish it when all are done.

    Whoever is stopping begins no further part: it is another's, or the next start's.
    """
    started = time.monotonic()
    with database.writing() as connection:
        begun = begin(connection, day, now)
        desk = prepare_run(connection, settings, book, now) if begun else None
    done = PartSummary()
    whole = None
    if begun and desk is not None:
        while not stopping() and (shards := _claim(database, day, worker, now)) is not None:
            done.add(_work(database, desk, day, shards, worker, now))
            reach("plan_committed")
        whole = _finish(database, day, now, started)
    stages = whole.stages if whole else _stages(database, book)
    return _told(book, day, now, done, stages, time.monotonic() - started)


def dry_run(database: Database, settings: Settings, book: Book, now: datetime) -> dict[str, Any]:
    """The same work, taken back: what a run would do now, whether or not the date is done."""
    started = time.monotonic()
    found: dict[str, Any] = {}
    try:
        with database.writing() as connection:
            desk = prepare_run(connection, settings, book, now)
            done = PartSummary()
            for shards in parts(connection):
                done.add(evaluate_part(connection, desk, shards, NO_DATE, now))
            day, seconds = local_date(now, settings.business.zone), time.monotonic() - started
            found |= _told(book, day, now, done, done.stages, seconds)
            raise DryRun  # noqa: TRY301 (leaving the block is what takes it back)
    except DryRun:
        return found


def _claim(database: Database, day: date, worker: str, now: datetime) -> Shards | None:
    """A part that is not done and that nobody holds: its lease ran out, or its worker no longer lives."""
    open_parts = (run_parts.c.date == day, run_parts.c.finished_at.is_(None))
    with database.reading() as connection:
        holders = connection.execute(select(run_parts.c.worker).distinct().where(*open_parts)).scalars()
        free_of = [worker, *(one for one in holders if one is not None and is_gone(one))]
    free = (
        select(run_parts.c.first_shard, run_parts.c.last_shard)
        .where(
            *open_parts,
            or_(run_parts.c.lease_until.is_(None), run_parts.c.lease_until < now, run_parts.c.worker.in_(free_of)),
        )
        .order_by(run_parts.c.first_shard)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    with database.writing() as connection:
        row = connection.execute(free).one_or_none()
        if row is None:
            return None
        held = update(run_parts).values(worker=worker, lease_until=now + LEASE)
        connection.execute(held.where(run_parts.c.date == day, run_parts.c.first_shard == row.first_shard))
        return Shards(row.first_shard, row.last_shard)


def _work(database: Database, desk: Desk, day: date, shards: Shards, worker: str, now: datetime) -> PartSummary:
    """Work and note that it is done are one transaction: a killed run resumes at its unfinished parts."""

    def work(connection: Connection) -> PartSummary:
        ours = update(run_parts).where(
            run_parts.c.date == day,
            run_parts.c.first_shard == shards.first,
            run_parts.c.worker == worker,
            run_parts.c.finished_at.is_(None),
        )
        if connection.execute(ours.values(finished_at=now)).rowcount == 0:
            return PartSummary()
        done = evaluate_part(connection, desk, shards, day, now)
        part = update(run_parts).where(run_parts.c.date == day, run_parts.c.first_shard == shards.first)
        connection.execute(part.values(summary=done.as_dict()))
        return done

    return database.write(work)


def _finish(database: Database, day: date, now: datetime, started: float) -> PartSummary | None:
    """Mark the run done when no part is open, and return the whole of it; others may still be working on theirs.

    Its row keeps for how many seconds whoever finished it was at work.
    """
    with database.writing() as connection:
        parts = connection.execute(select(run_parts.c.finished_at, run_parts.c.summary).where(run_parts.c.date == day))
        total = PartSummary()
        for finished_at, summary in parts:
            if finished_at is None:
                return None
            total.add(PartSummary.from_dict(summary))
        done = update(runs).where(runs.c.date == day, runs.c.status == "running")
        summary = {**total.as_dict(), "seconds": round(time.monotonic() - started, 3)}
        connection.execute(done.values(status="done", finished_at=now, summary=summary))
    return total


def _stages(database: Database, book: Book) -> Mapping[str, int]:
    with database.reading() as connection:
        return customers_by_any_stage(connection, facts_table(book.facts))


def _told(
    book: Book, day: date, now: datetime, done: PartSummary, stages: Mapping[str, int], seconds: float
) -> dict[str, Any]:
    """`stages` counts everybody, also where others did the work."""
    told = done.as_dict()
    del told["refreshed"]
    return {
        "date": day.isoformat(),
        "now": instant_text(now),
        "customers": sum(stages.values()),
        **told,
        "stages": {**dict.fromkeys(book.lifecycle.keys, 0), **stages},
        "seconds": round(seconds, 3),
    }
