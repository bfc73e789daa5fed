"""Tables that one connection works with and nobody else sees: for the rows that one statement hands to the next."""

from typing import Any

from sqlalchemy import Column, Connection, MetaData, SmallInteger, Table, delete, text
from sqlalchemy.schema import CreateTable

# How many rows are expected, and how many for each further column of the key that is known, as sqlite_stat1 has it.
OF_A_PART = "1000 10 1"
TELL = text(
    "INSERT INTO temp.sqlite_stat1 (tbl, idx, stat) "
    "SELECT :name, name, :expected FROM temp.sqlite_master WHERE tbl_name = :name AND type = 'index'"
)
RELOAD = text("ANALYZE temp.sqlite_master")


def temporary(name: str, *columns: Column[Any], expected: str = OF_A_PART) -> Table:
    """Columns of the key have `primary_key`, the others a value unless they say otherwise."""
    return Table(name, MetaData(), *columns, prefixes=["TEMPORARY"], info={"expected": expected})


def shard_column() -> Column[int]:
    """The first column of most keys."""
    return Column("shard", SmallInteger, primary_key=True, autoincrement=False)


def empty(connection: Connection, table: Table) -> None:
    """Make sure that the table is there and has no rows; SQLite's planner is told what to expect."""
    connection.execute(CreateTable(table, if_not_exists=True))
    connection.execute(delete(table))
    if connection.dialect.name == "sqlite":
        _expect(connection, {"name": table.name, "expected": table.info["expected"]})


def _expect(connection: Connection, told: dict[str, Any]) -> None:
    if connection.execute(text("SELECT 1 FROM temp.sqlite_master WHERE name = 'sqlite_stat1'")).first() is None:
        connection.execute(text(f"ANALYZE temp.{told['name']}"))
    known = text("SELECT 1 FROM temp.sqlite_stat1 WHERE tbl = :name AND stat = :expected")
    if connection.execute(known, told).first() is None:
        connection.execute(TELL, told)
        connection.execute(RELOAD)


def counted(connection: Connection, table: Table) -> None:
    """Tell PostgreSQL's planner how many rows the table has got: unasked it supposes thousands."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ANALYZE {table.name}"))
