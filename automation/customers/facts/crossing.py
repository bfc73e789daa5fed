"""Customers of whom an event left a window: of all their facts, only those with a `within` can have changed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Select, Table, and_, exists, insert, select, union

from automation.customers.facts.compute import same_customer
from automation.customers.facts.definition import FactDefinitions
from automation.database.schema import Shards, events
from automation.database.temporary import counted, empty, shard_column, temporary
from automation.database.types import Key

crossing = temporary("crossing", shard_column(), Column("customer_id", Key, primary_key=True))


def find_crossing(
    connection: Connection,
    definitions: FactDefinitions,
    shards: Shards,
    as_of: datetime,
    now: datetime,
    touched: Table,
) -> None:
    """Fill `crossing`, without those in `touched`: all their facts are computed anyway."""
    empty(connection, crossing)
    if now == as_of or not definitions.windowed.facts:
        return
    # One select for each edge: an OR of ranges of time would be a pass over the whole index.
    left = union(*(_left(shards, *edge, as_of, now) for edge in _edges(definitions))).subquery("left")
    # A union of one select, where there is one edge, leaves in it who lost two events.
    rows = select(left).distinct().where(~exists().where(same_customer(touched, left)))
    connection.execute(insert(crossing).from_select(["shard", "customer_id"], rows))
    counted(connection, crossing)


def _edges(definitions: FactDefinitions) -> Iterator[tuple[timedelta, list[str]]]:
    """Each window, with the names of the events that count in it."""
    facts = [(fact.within, fact.events) for fact in definitions.facts if fact.within is not None]
    for window in sorted({within for within, _ in facts}):
        yield window, sorted({name for within, names in facts if within == window for name in names})


def _left(shards: Shards, window: timedelta, names: list[str], as_of: datetime, now: datetime) -> Select[Any]:
    between = and_(events.c.time > as_of - window, events.c.time <= now - window)
    rows = select(events.c.shard, events.c.customer_id)
    return rows.where(shards.each_of(events), between, events.c.name.in_(names))
