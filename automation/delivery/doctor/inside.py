"""The database, the clock against what the database has seen, and whether the work is being done."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, inspect, make_url, select
from sqlalchemy.exc import DatabaseError

from automation.clock import latest_run_date, local_text
from automation.database.engine import open_database
from automation.database.schema import PLANNED, messages
from automation.database.tables import metadata
from automation.database.upgrade import newest, next_move, revision
from automation.database.work import runs
from automation.delivery.doctor.check import Check
from automation.delivery.doctor.watch import nightly_check, worker
from automation.errors import AutomationError
from automation.settings import CHANNELS, Settings

WRITTEN, FAR = datetime(2026, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
ASTRAY = timedelta(minutes=1)
LATE = timedelta(hours=1)
RECENT = timedelta(days=30)


def database_checks(settings: Settings, now: datetime) -> Iterator[Check]:
    """The work is looked at only in a database that opens and is current."""
    yield _year(now)
    if _no_file(settings):
        yield Check("database", False, "there is none yet", "`automation db upgrade` makes it")
        return
    try:
        database = open_database(settings)
    except AutomationError as error:
        yield Check("database", False, str(error))
        return
    try:
        with database.reading() as connection:
            yield from _looked_at(connection, settings, now)
    except DatabaseError as error:
        told = f"it cannot be read ({type(error.orig).__name__})"
        yield Check("database", False, told, "`automation db check` says what is broken")
    finally:
        database.close()


def _no_file(settings: Settings) -> bool:
    """Opening it would make one."""
    url = make_url(settings.database.url)
    return url.get_backend_name() == "sqlite" and not (settings.root / (url.database or "")).is_file()


def _looked_at(connection: Connection, settings: Settings, now: datetime) -> Iterator[Check]:
    schema = _schema(connection)
    yield schema
    if schema.ok:
        yield _clock(connection, now)
        yield _daily_run(connection, settings, now)
        yield _waiting(connection, settings, now)
        yield _unknown(connection, now)
        yield worker(connection, settings, now)
        yield nightly_check(connection, now)


def _schema(connection: Connection) -> Check:
    found = revision(connection)
    if found != newest():
        told = f"at revision {found or 'none'}; this program needs {newest()}"
        return Check("database", False, told, next_move(found))
    missing = sorted(set(metadata.tables) - set(inspect(connection).get_table_names()))
    if missing:
        return Check("database", False, f"tables are missing: {', '.join(missing)}", "restore a backup")
    return Check("database", True, f"{connection.dialect.name}, at revision {found}")


def _year(now: datetime) -> Check:
    plausible = WRITTEN <= now < FAR
    told = f"it shows {now:%Y-%m-%d %H:%M} UTC"
    return Check("clock", plausible, told, "" if plausible else "set the system's clock")


def _clock(connection: Connection, now: datetime) -> Check:
    """A clock that went back would hold messages and repeat days."""
    check, seen = "clock and database", _newest_row(connection)
    if seen is not None and seen > now + ASTRAY:
        hint = "set the system's clock; rows of the future also come from --now"
        return Check(check, False, f"the newest row is of {seen:%Y-%m-%d %H:%M} UTC, which is still to come", hint)
    return Check(check, True, "no row is of the future")


def _newest_row(connection: Connection) -> datetime | None:
    """By what an index or a small table tells at once."""
    found = (connection.execute(select(func.max(one))).scalar() for one in (messages.c.planned_at, runs.c.finished_at))
    return max((one for one in found if one is not None), default=None)


def _daily_run(connection: Connection, settings: Settings, now: datetime) -> Check:
    check, done = "daily run", _newest_run(connection)
    if done is None:
        return Check(check, True, "there was none yet", "`automation run` does it every day, `automation evaluate` now")
    due = latest_run_date(now - LATE, settings.business.zone, settings.schedule.evaluate_at)
    if done < due:
        hint = "is `automation run` running? its log says why not"
        return Check(check, False, f"the newest is of {done}; that of {due} is due", hint)
    return Check(check, True, f"the newest is of {done}")


def _newest_run(connection: Connection) -> date | None:
    return connection.execute(select(func.max(runs.c.date)).where(runs.c.status == "done")).scalar()


def _waiting(connection: Connection, settings: Settings, now: datetime) -> Check:
    found = (connection.execute(_oldest_due(channel, now)).scalar() for channel in CHANNELS)
    oldest: datetime | None = min((one for one in found if one is not None), default=None)
    if oldest is None:
        return Check("due messages", True, "none is waiting")
    late = now - oldest > LATE
    told = f"the oldest is due since {local_text(oldest, settings.business.zone)}"
    return Check("due messages", not late, told, "is `automation run` running? or `automation send`" if late else "")


def _oldest_due(channel: str, now: datetime) -> Select[Any]:
    due = (PLANNED, messages.c.channel == channel, messages.c.due_at <= now)
    return select(func.min(messages.c.due_at)).where(*due)


def _unknown(connection: Connection, now: datetime) -> Check:
    """They are no fault, but somebody has to look at them."""
    recent = (messages.c.planned_at > now - RECENT, messages.c.status == "unknown")
    count = connection.execute(select(func.count()).select_from(messages).where(*recent)).scalar_one()
    told = f"{count:,} of the last {RECENT.days} days: nobody knows whether they were sent" if count else "none"
    hint = "`automation log --status unknown` lists them; ask the provider" if count else ""
    return Check("unknown messages", True, told, hint)
