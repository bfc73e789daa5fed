"""The nightly check of the delivery promise, once a date however many workers there are. It only reads."""

import logging
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import Any

from sqlalchemy import Connection, and_, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError

from automation.clock import latest_run_date
from automation.database.engine import Database
from automation.database.work import checks
from automation.delivery.verify import Report, verify
from automation.delivery.workers import is_gone
from automation.settings import CHANNELS, Settings

log = logging.getLogger(__name__)
AT = clock_time(3, 30)  # of the business zone: evaluated at six, no window open yet
LOOK_EVERY = timedelta(minutes=5)
LEASE = timedelta(hours=6)
JUDGED = timedelta(days=8)  # a week, for its cap
KEPT = 10  # violations; all are counted
Stopping = Callable[[], bool]


class Stopped(Exception):
    """The worker drains; the check begins anew with the next one."""


def check_tonight(
    database: Database, settings: Settings, worker: str, now: datetime, stopping: Stopping = lambda: False
) -> dict[str, Any] | None:
    """Check the ledger if nobody has tonight. Returns what was found; None when there was nothing to do."""
    day = latest_run_date(now, settings.business.zone, AT)
    with database.writing() as connection:
        ours = _claim(connection, day, worker, now)
    if not ours:
        return None
    started, since = time.monotonic(), _since(database, settings, now)
    try:
        found = _looked(database, settings, since, stopping)
    except Stopped:
        with database.writing() as connection:
            connection.execute(update(checks).where(checks.c.date == day).values(lease_until=now))
        return None
    found |= {"seconds": round(time.monotonic() - started, 3), "since": since.isoformat(), "rules": _rules(settings)}
    with database.writing() as connection:
        _note(connection, day, worker, found, now)
    return found


def _claim(connection: Connection, day: date, worker: str, now: datetime) -> bool:
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    values = {"worker": worker, "started_at": now, "lease_until": now + LEASE}
    new = insert(checks).values(date=day, **values).on_conflict_do_nothing(index_elements=["date"])
    if connection.execute(new).rowcount:
        return True
    open_check = and_(checks.c.date == day, checks.c.finished_at.is_(None))
    holder = connection.execute(select(checks.c.worker).where(open_check)).scalar()
    gone = [holder] if holder is not None and is_gone(holder) else []
    free = or_(checks.c.lease_until <= now, checks.c.worker.in_(gone))
    return connection.execute(update(checks).where(open_check, free).values(**values)).rowcount == 1


def _since(database: Database, settings: Settings, now: datetime) -> datetime:
    """From when on caps and windows are judged. They have no history: what was sent before the night that met a change
    of them is not.
    """
    newest = select(checks.c.found).where(checks.c.finished_at.is_not(None)).order_by(checks.c.date.desc()).limit(1)
    with database.reading() as connection:
        found = connection.execute(newest).scalar()
    if found is None:
        return now - JUDGED
    return max(datetime.fromisoformat(found["since"]), now - JUDGED) if found["rules"] == _rules(settings) else now


def _rules(settings: Settings) -> dict[str, Any]:
    limits = ((channel, settings.channel(channel)) for channel in CHANNELS)
    return {name: [*map(str, rules.window), rules.max_per_day, rules.max_per_week] for name, rules in limits}


def _looked(database: Database, settings: Settings, since: datetime, stopping: Stopping) -> dict[str, Any]:
    def look_up(done: int, total: int) -> None:
        del done, total
        if stopping():
            raise Stopped

    try:
        return _told(verify(database, settings, since, look_up))
    except DatabaseError as error:  # a damaged page is met by whoever reads everything
        return {"counts": {"database": 1}, "violations": [{"told": f"it cannot be read ({type(error.orig).__name__})"}]}


def _told(report: Report) -> dict[str, Any]:
    return {"counts": dict(report.counts), "violations": [one.as_dict() for one in report.violations[:KEPT]]}


def _note(connection: Connection, day: date, worker: str, found: dict[str, Any], now: datetime) -> None:
    values = {"finished_at": now, "ok": not found["counts"], "found": found, "lease_until": None}
    ours = (checks.c.date == day, checks.c.worker == worker, checks.c.finished_at.is_(None))
    noted = connection.execute(update(checks).where(*ours).values(**values)).rowcount
    if noted and found["counts"]:
        report_violations(connection, day, found, now)


def report_violations(connection: Connection, day: date, found: dict[str, Any], now: datetime) -> None:
    """Called once for each night on which something was found, in the transaction that notes it."""
    del connection, now
    counts = ", ".join(f"{count} of {invariant}" for invariant, count in sorted(found["counts"].items()))
    told = {"date": day.isoformat(), "counts": found["counts"]}
    log.error("the delivery promise was broken (%s); `automation verify` lists how", counts, extra=told)
