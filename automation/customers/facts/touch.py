"""Marking customers whose facts are no longer true."""

from sqlalchemy import Boolean, Connection, FromClause, SmallInteger, column, false, literal, select, table, true
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.schema import facts_as_of
from automation.database.types import Key

# Only the columns that every facts table has: whoever marks need not know facts.toml.
MARKS = table("facts", column("shard", SmallInteger), column("customer_id", Key), column("stale", Boolean))


def touch(connection: Connection, staged: FromClause) -> None:
    """Mark the customers named in `staged` (shard, customer_id); nothing to do before the first evaluation."""
    if connection.execute(select(facts_as_of.c.shard).limit(1)).first() is None:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    rows = select(staged.c.shard, staged.c.customer_id, literal(True).label("stale")).distinct().where(true())
    rows = rows.order_by(staged.c.shard, staged.c.customer_id)  # in one order, so that two writers cannot deadlock
    marked = dialect.insert(MARKS).from_select(["shard", "customer_id", "stale"], rows)
    not_yet = MARKS.c.stale == false()
    connection.execute(
        marked.on_conflict_do_update(index_elements=["shard", "customer_id"], set_={"stale": True}, where=not_yet)
    )


def touch_one(connection: Connection, shard: int, customer_id: str) -> None:
    touch(connection, select(literal(shard).label("shard"), literal(customer_id, Key).label("customer_id")).subquery())
