"""A batch of rows goes to the database the fast way, to be merged there by statements over the whole batch."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, MetaData, SmallInteger, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateTable, DropTable

from automation.database.engine import lock
from automation.database.schema import customers, events
from automation.database.types import EPOCH, MICROSECOND, Instant, Key

Row = tuple[Any, ...]


def _temporary(name: str, *columns: Column[Any]) -> Table:
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"])


def _like(table: Table, name: str, *left_out: str) -> Table:
    return _temporary(name, *(Column(one.name, one.type) for one in table.columns if one.name not in left_out))


staged_ids = _temporary("staged_ids", Column("shard", SmallInteger), Column("customer_id", Key))
staged_customers = _like(customers, "staged_customers", "erased_at")
staged_events = _like(events, "staged_events")


def begin_batch(connection: Connection) -> None:
    """Nobody rebuilds facts while a batch is merged, and every look-up of the batch is by key.

    The planner would read a table of ten million rows for each batch of ten thousand, because it prices a look-up by
    key as one read from a disk.
    """
    lock(connection, "facts", shared=True)
    if connection.dialect.name == "postgresql":
        for plan in ("hashjoin", "mergejoin", "seqscan"):
            connection.execute(text(f"SET LOCAL enable_{plan} = off"))


@contextmanager
def staged(connection: Connection, table: Table, rows: Sequence[Row]) -> Iterator[Table]:
    """The temporary table with these rows in it, gone afterwards."""
    connection.execute(CreateTable(table))
    write(connection, table, rows)
    yield table
    connection.execute(DropTable(table))


def write(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Add rows with a value for each column of the table, JSON as text: COPY, or one prepared statement."""
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
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", _counted(table, rows))


def _counted(table: Table, rows: Sequence[Row]) -> list[Row]:
    """SQLite keeps an instant as microseconds since 1970."""
    found = list(rows)
    for place, column in enumerate(table.columns):
        if isinstance(column.type, Instant):
            found = [(*row[:place], _microseconds(row[place]), *row[place + 1 :]) for row in found]
    return found


def _microseconds(value: datetime | None) -> int | None:
    return None if value is None else (value - EPOCH) // MICROSECOND


def insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that knows ON CONFLICT."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
