"""How a run of a date begins: its row, its parts, and what becomes of the dates before it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.engine import Database
from automation.database.schema import Shards, customers
from automation.database.work import run_parts, runs

CUSTOMERS_A_PART = 50_000


def begin(connection: Connection, day: date, now: datetime) -> bool:
    """Whether there is work: a new run, or one that was broken off. Dates between the last run and this are missed."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(runs).values(date=day, now=now, status="running", started_at=now)
    if connection.execute(new.on_conflict_do_nothing(index_elements=["date"])).rowcount:
        _note_missed(connection, day)
        _give_up_older(connection, day)
        connection.execute(insert(run_parts), [_part(day, shards) for shards in parts(connection)])
        return True
    return bool(connection.execute(select(runs.c.status).where(runs.c.date == day)).scalar_one() == "running")


def _note_missed(connection: Connection, day: date) -> None:
    last = connection.execute(select(func.max(runs.c.date)).where(runs.c.date < day)).scalar()
    days = (day - last).days if last else 0
    missed = [{"date": last + timedelta(days=one), "status": "missed"} for one in range(1, days)] if last else []
    if missed:
        connection.execute(insert(runs), missed)


def _give_up_older(connection: Connection, day: date) -> None:
    """A run that was broken off and never resumed before the next date's: what is left of it is missed."""
    older = update(runs).where(runs.c.date < day, runs.c.status == "running")
    connection.execute(older.values(status="missed"))


def parts_of(database: Database) -> list[Shards]:
    """The ranges of shards that work over all customers is divided into."""
    with database.reading() as connection:
        return list(parts(connection))


def parts(connection: Connection) -> Iterator[Shards]:
    count = connection.execute(select(func.count()).select_from(customers)).scalar_one()
    return Shards.parts(count, CUSTOMERS_A_PART)


def _part(day: date, shards: Shards) -> dict[str, Any]:
    return {"date": day, "first_shard": shards.first, "last_shard": shards.last}
