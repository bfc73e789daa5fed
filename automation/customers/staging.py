"""A batch of rows goes to the database the fast way, to be merged there by statements over the whole batch."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Connection, MetaData, Table, and_, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable, DropTable

from automation.database.engine import lock
from automation.database.schema import customers, events
from automation.database.types import EPOCH, MICROSECOND

Row = tuple[Any, ...]


def _like(table: Table, name: str, *left_out: str, more: Iterable[Column[Any]] = ()) -> Table:
    kept = [Column(one.name, one.type) for one in table.columns if one.name not in left_out]
    return Table(name, MetaData(), *kept, *more, prefixes=["TEMPORARY"])


# What a row tells of consent comes with it, so that the database can open the ledger of a customer who is new.
CONSENTS = (Column("email_consent", Boolean), Column("sms_consent", Boolean))
staged_customers = _like(customers, "staged_customers", "erased_at", more=CONSENTS)
staged_events = _like(events, "staged_events")


def begin_batch(connection: Connection) -> None:
    """Nobody rebuilds facts while a batch is merged, imports take turns, and every look-up of the batch is by key.

    Two batches with the same customers in another order would wait for each other in a circle.
    The planner would read a table of ten million rows for each batch, because it prices a look-up by
    key as one read from a disk.
    """
    lock(connection, "facts", shared=True)
    lock(connection, "imports")
    if connection.dialect.name == "postgresql":
        for plan in ("hashjoin", "mergejoin", "seqscan"):
            connection.execute(text(f"SET LOCAL enable_{plan} = off"))


def stage(connection: Connection, table: Table, rows: list[Row]) -> None:
    """The temporary table with these rows in it, until `unstage`. In order of the key: neighbors share a page."""
    connection.execute(CreateTable(table))
    write(connection, table, rows)


def stage_again(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Other rows in its place."""
    unstage(connection, table)
    stage(connection, table, rows)


def unstage(connection: Connection, table: Table) -> None:
    connection.execute(DropTable(table))


def write(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Add rows, JSON as text and instants as `stored` says, by COPY or one prepared statement."""
    if not rows:
        return
    names = ", ".join(table.columns.keys())
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)


def stored(connection: Connection) -> Callable[[datetime | None], Any]:
    """How a row for `write` holds an instant: SQLite keeps microseconds since 1970."""
    return _microseconds if connection.dialect.name == "sqlite" else _as_it_is


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // MICROSECOND


def _as_it_is(value: datetime | None) -> datetime | None:
    return value


def upsert(connection: Connection, table: Table, staged: Table) -> None:
    """Bring whole rows into the table: new ones, and those whose key is there already in their place.

    An UPDATE of its own spares SQLite the copies of pages that ON CONFLICT DO UPDATE needs, see `insert_into`.
    """
    key = [column.name for column in table.primary_key]
    names = [column.name for column in table.columns if column.name in staged.columns]
    told = [name for name in names if name not in key]
    rows = select(*(staged.c[name] for name in names)).where(true()).order_by(*(staged.c[name] for name in key))
    insert = insert_into(connection, table).from_select(names, rows)
    if connection.dialect.name == "postgresql":
        told_now = {name: insert.excluded[name] for name in told}
        connection.execute(insert.on_conflict_do_update(index_elements=key, set_=told_now))
        return
    same = and_(*(table.c[name] == staged.c[name] for name in key))
    there = update(table).prefix_with("OR ROLLBACK").where(same)
    connection.execute(there.values({name: staged.c[name] for name in told}))
    connection.execute(insert.on_conflict_do_nothing(index_elements=key))


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT. An error takes the whole transaction back.

    For one that takes back only its own statement, SQLite copies every page it changes into memory: 100 MB for a batch.
    """
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table).prefix_with("OR ROLLBACK")
