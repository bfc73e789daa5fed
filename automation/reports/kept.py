"""Figures that pages read at once, because they were counted before: after each daily run and about once an hour."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.clock import local_date
from automation.database.engine import Database
from automation.database.work import figures, runs
from automation.playbooks.load import Book
from automation.reports.asked import Asked
from automation.reports.passing import passing
from automation.reports.period import Period
from automation.reports.staying import staying
from automation.settings import Settings

log = logging.getLogger(__name__)
EVERY = timedelta(hours=1)
KEPT = timedelta(days=400)
Kind = Literal["playbooks", "lifecycle"]
COUNTS: Mapping[Kind, Callable[[Asked], dict[str, Any] | None]] = {"playbooks": passing, "lifecycle": staying}


@dataclass(frozen=True)
class Kept:
    """What was counted, and as of when."""

    as_of: datetime
    counted: Mapping[str, Any]


def keep_if_old(database: Database, settings: Settings, book: Book, now: datetime) -> bool:
    """Count anew when a run came since, or an hour has passed. Returns whether it did."""
    with database.reading() as connection:
        due = _is_due(connection, now)
    if due:
        keep_figures(database, settings, book, now)
    return due


def keep_figures(database: Database, settings: Settings, book: Book, now: datetime) -> None:
    """Read first and write afterwards: nobody waits for the counting."""
    started = time.monotonic()
    today = local_date(now, settings.business.zone)
    with database.reading() as connection:
        period = Period.up_to(today, settings.business.zone)
        asked = Asked(connection, settings, book, period, book.lifecycle, now)
        found = {kind: count(asked) for kind, count in COUNTS.items()}
    with database.writing() as connection:
        for kind, counted in found.items():
            if counted is not None:
                _keep(connection, kind, today, now, counted)
        connection.execute(delete(figures).where(figures.c.date < today - KEPT))
    log.info("figures counted", extra={"seconds": round(time.monotonic() - started, 3)})


def newest(connection: Connection, kind: Kind) -> Kept | None:
    """None before anything was counted."""
    rows = select(figures.c.as_of, figures.c.counted).where(figures.c.kind == kind)
    row = connection.execute(rows.order_by(figures.c.date.desc()).limit(1)).one_or_none()
    return None if row is None else Kept(row.as_of, row.counted)


def _is_due(connection: Connection, now: datetime) -> bool:
    last = connection.execute(select(func.max(figures.c.as_of))).scalar()
    run = connection.execute(select(func.max(runs.c.finished_at))).scalar()
    return run is not None and (last is None or last < run or not now - EVERY < last <= now)


def _keep(connection: Connection, kind: Kind, day: date, now: datetime, counted: Mapping[str, Any]) -> None:
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    row = insert(figures).values(date=day, kind=kind, as_of=now, counted=counted)
    values = {"as_of": row.excluded.as_of, "counted": row.excluded.counted}
    connection.execute(row.on_conflict_do_update(index_elements=["kind", "date"], set_=values))
