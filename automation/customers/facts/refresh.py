"""Keeping the facts table true: refreshed for touched customers only; a rebuild from nothing gives the same rows."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    Column,
    Connection,
    Date,
    Select,
    SmallInteger,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    inspect,
    literal,
    select,
    text,
    true,
    union,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.facts.aggregates import Told
from automation.customers.facts.compute import facts_as_of as computed
from automation.customers.facts.compute import facts_table, same_customer, windowed_as_of, with_stage
from automation.customers.facts.crossing import crossing, find_crossing
from automation.customers.facts.definition import FactDefinitions
from automation.database.engine import lock
from automation.database.schema import Shards, events, facts_as_of, stage_changes
from automation.database.statistics import assume_facts
from automation.database.temporary import counted, empty, shard_column, temporary
from automation.database.types import Instant, Key

CustomerKey = tuple[int, str]


# Of whom something arrived or began to count.
touched = temporary("touched", shard_column(), Column("customer_id", Key, primary_key=True))


def prepare(connection: Connection, definitions: FactDefinitions) -> None:
    """Make sure the facts table has the columns of these definitions; other ones mean an empty table to be rebuilt."""
    found = set(connection.execute(select(facts_as_of.c.definitions).distinct()).scalars())
    if found == {definitions.fingerprint} or (not found and _fits(connection, definitions)):
        return
    lock(connection, "facts")
    connection.execute(text("DROP TABLE IF EXISTS facts"))
    connection.execute(delete(facts_as_of))
    table = facts_table(definitions)
    table.create(connection)
    # Written as the queries compile it: SQLite proves by letters that a partial index applies.
    is_stale = (table.c.stale == true()).compile(dialect=connection.dialect)
    condition = str(is_stale).replace("facts.", "")
    connection.execute(text(f"CREATE INDEX facts_stale ON facts (shard, customer_id) WHERE {condition}"))
    assume_facts(connection)


def _fits(connection: Connection, definitions: FactDefinitions) -> bool:
    if not inspect(connection).has_table("facts"):
        return False
    present = {column["name"] for column in inspect(connection).get_columns("facts")}
    return present == set(facts_table(definitions).c.keys())


def refresh(connection: Connection, definitions: FactDefinitions, shards: Shards, now: datetime, today: date) -> int:
    """Make the facts of these shards true as of `now`. Returns how many customers were computed.

    Afterwards the table `touched` names those of whom something arrived or began to count. Going back in time, or a
    shard never computed, rebuilds the whole range.
    """
    create_touched(connection)
    as_of = _computed_as_of(connection, shards)
    if as_of is None or as_of > now:
        count = _rebuild(connection, definitions, shards, now, today)
    else:
        _find_touched(connection, definitions, shards, as_of, now)
        find_crossing(connection, definitions, shards, as_of, now, touched)
        _hold(connection, facts_table(definitions), shards)
        count = _refresh_touched(connection, definitions, shards, now)
        count += _refresh_crossing(connection, definitions, shards, now)
    _note(connection, definitions, shards, now)
    return count


def create_touched(connection: Connection) -> None:
    """An empty `touched`, seen by this connection alone."""
    empty(connection, touched)


def _computed_as_of(connection: Connection, shards: Shards) -> datetime | None:
    found = select(func.count(), func.min(facts_as_of.c.as_of)).where(shards.of(facts_as_of))
    count, oldest = connection.execute(found).one()
    return oldest if count == shards.last - shards.first + 1 else None


def _find_touched(
    connection: Connection, definitions: FactDefinitions, shards: Shards, as_of: datetime, now: datetime
) -> None:
    facts = facts_table(definitions)
    marked = select(facts.c.shard, facts.c.customer_id).where(shards.of(facts), facts.c.stale == true())
    began = and_(events.c.time > as_of, events.c.time <= now)
    begun = select(events.c.shard, events.c.customer_id).where(shards.each_of(events), began)
    every = union(marked, begun) if now > as_of else marked
    connection.execute(insert(touched).from_select(["shard", "customer_id"], every))
    counted(connection, touched)


def _hold(connection: Connection, facts: Table, shards: Shards) -> None:
    """Whoever marks a row waits for us, or we for them: their events are either counted now or marked again.

    They mark in the order of the key: two passes, one for each table, could wait for them in a circle.
    """
    if connection.dialect.name == "postgresql":
        ours = union_all(select(touched), select(crossing)).subquery("ours")
        rows = select(facts.c.shard).join(ours, same_customer(facts, ours)).where(shards.of(facts))
        rows = rows.order_by(facts.c.shard, facts.c.customer_id)
        connection.execute(select(func.count()).select_from(rows.with_for_update(of=facts).subquery()))


def _refresh_touched(connection: Connection, definitions: FactDefinitions, shards: Shards, now: datetime) -> int:
    """Compute the facts of the customers named in `touched`."""
    rows = computed(definitions, connection.dialect.name, now, shards, only=touched)
    return _upsert(connection, facts_table(definitions), rows)


def _refresh_crossing(connection: Connection, definitions: FactDefinitions, shards: Shards, now: datetime) -> int:
    """Compute the facts with a window of the customers named in `crossing`; nothing else of them has changed."""
    windowed = definitions.windowed.facts
    if not windowed:
        return 0
    facts = facts_table(definitions)
    found = windowed_as_of(definitions, connection.dialect.name, now, crossing).subquery("found")
    values = {fact.name: found.c[fact.name] for fact in windowed}
    # PostgreSQL, which may merge both by key, then reads no further than the part.
    ours = and_(shards.of(facts), same_customer(facts, found))
    return connection.execute(update(facts).values(values).where(ours)).rowcount


def _upsert(connection: Connection, facts: Table, rows: Select[Any]) -> int:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    names = list(rows.selected_columns.keys())
    merged = dialect.insert(facts).from_select(names, rows.where(true()))  # SQLite takes ON CONFLICT for a join's ON
    excluded = merged.excluded  # made anew each time it is asked for
    changed = {name: excluded[name] for name in names if name not in {"shard", "customer_id"}}
    return connection.execute(
        merged.on_conflict_do_update(index_elements=["shard", "customer_id"], set_=changed)
    ).rowcount


def _rebuild(connection: Connection, definitions: FactDefinitions, shards: Shards, now: datetime, today: date) -> int:
    lock(connection, "facts")
    facts = facts_table(definitions)
    connection.execute(delete(facts).where(shards.of(facts)))
    count = fill(connection, facts, definitions, shards, now, today)
    connection.execute(
        insert(touched).from_select(
            ["shard", "customer_id"], select(facts.c.shard, facts.c.customer_id).where(shards.of(facts))
        )
    )
    return count


def fill(
    connection: Connection, facts: Table, definitions: FactDefinitions, shards: Shards, now: datetime, today: date
) -> int:
    """Insert every customer of the shards, with the stage that history gives them on that date."""
    rows = computed(definitions, connection.dialect.name, now, shards)
    if connection.execute(select(stage_changes.c.day).where(shards.of(stage_changes)).limit(1)).first():
        rows = with_stage(rows, today)
    names = list(rows.selected_columns.keys())
    return connection.execute(insert(facts).from_select(names, rows)).rowcount


def _note(connection: Connection, definitions: FactDefinitions, shards: Shards, now: datetime) -> None:
    connection.execute(delete(facts_as_of).where(shards.of(facts_as_of)))
    each = select(shards.rows().c.shard, literal(now, Instant), literal(definitions.fingerprint))
    connection.execute(insert(facts_as_of).from_select(["shard", "as_of", "definitions"], each))


def facts_of(
    connection: Connection, definitions: FactDefinitions, customers: Iterable[CustomerKey], now: datetime, today: date
) -> dict[CustomerKey, Mapping[str, Any]]:
    """The facts of some customers as of `now`, computed from their events and kept nowhere; the stage is history's."""
    create_touched(connection)
    wanted = sorted(set(customers))
    if not wanted:
        return {}
    rows = [{"shard": shard, "customer_id": customer_id} for shard, customer_id in wanted]
    connection.execute(insert(touched), rows)
    found = _facts_of_touched(definitions, connection.dialect.name)
    windows = {fact.within for fact in definitions.facts if fact.within is not None}
    told = Told.values(now, windows) | {"today": today, "first_shard": wanted[0][0], "last_shard": wanted[-1][0]}
    return {(row["shard"], row["customer_id"]): dict(row) for row in connection.execute(found, told).mappings()}


@lru_cache(maxsize=64)
def _facts_of_touched(definitions: FactDefinitions, dialect: str) -> Select[Any]:
    """Built once: it takes longer than to execute it for one customer."""
    first, last = (bindparam(name, type_=SmallInteger) for name in ("first_shard", "last_shard"))
    shards = Shards(cast("int", first), cast("int", last))
    found = computed(definitions, dialect, Told(), shards, only=touched)
    return with_stage(found, bindparam("today", type_=Date))
