"""Ids of rows that grow with time: n * 256 + shard, counted on from the shard's newest row."""

from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, Subquery, func, select

from automation.database.schema import SHARDS


def numbered(key: Column[int], rows: FromClause, shards: FromClause, *order: ColumnElement[Any]) -> Subquery:
    """The new `rows` with one more column: an id of `key`'s table, named like it. `shards` names theirs, at least.

    Equal states give equal ids. Whoever inserts them holds the write transaction or the shards' locks.
    """
    shards = select(shards.c.shard).distinct().subquery("shards")
    newest = select(func.max(key)).where(key.table.c.shard == shards.c.shard).correlate(shards).scalar_subquery()
    # Asked once a shard: PostgreSQL would step over the rows of this very statement, more with each of them.
    last: Any = select(shards.c.shard, func.coalesce(newest // SHARDS, 0).label("number"))
    last = last.cte("last", nesting=True).prefix_with("MATERIALIZED")
    counted = func.row_number().over(partition_by=rows.c.shard, order_by=order)
    number = (last.c.number + counted) * SHARDS + rows.c.shard
    return select(rows, number.label(key.name)).join(last, last.c.shard == rows.c.shard).subquery("numbered")
