"""Where customers stand, for whoever asks: counts as of a run or any instant, and one customer's history."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import Connection, Row, Select, Subquery, func, inspect, select, type_coerce

from automation.customers.facts.compute import facts_as_of as computed
from automation.customers.facts.compute import facts_table
from automation.customers.facts.definition import FactDefinitions
from automation.database.schema import Shards, customers, facts_as_of, shard_of, stage_changes
from automation.database.work import run_parts
from automation.lifecycle.conditions import Day
from automation.lifecycle.evaluate import customers_by_stage, stage_of
from automation.lifecycle.model import Lifecycle

AT_ONCE = 100_000


@dataclass(frozen=True)
class Standing:
    """How many customers stand in each stage as of an instant; `waiting` came after it and are in none yet."""

    now: datetime
    customers: Mapping[str, int]
    waiting: int = 0


def standing_at_last_run(connection: Connection, lifecycle: Lifecycle) -> Standing | None:
    """None before the first run, and when the lifecycle in use has other stages than that run had."""
    now = last_run(connection)
    if now is None or not inspect(connection).has_table("facts"):
        return None
    facts = facts_table(FactDefinitions(()))  # only columns that are always there
    everybody, placed = connection.execute(select(func.count(), func.count(facts.c.stage))).one()
    counts = customers_by_stage(connection, lifecycle, facts)
    known = sum(counts.values()) == placed and _had_its_stages(connection, lifecycle)
    return Standing(now, counts, everybody - placed) if known else None


def _had_its_stages(connection: Connection, lifecycle: Lifecycle) -> bool:
    """Whether the last run was of a lifecycle with the same keys: two may share those where everybody stands."""
    newest = select(run_parts.c.summary).where(run_parts.c.finished_at.is_not(None))
    summary = connection.execute(newest.order_by(run_parts.c.date.desc()).limit(1)).scalar()
    return summary is None or set(summary["stages"]) == set(lifecycle.keys)


def last_run(connection: Connection) -> datetime | None:
    """As of when customers stand where the facts say; None before the first run."""
    found: datetime | None = connection.execute(select(func.max(facts_as_of.c.as_of))).scalar()
    return found


def standing_as_of(connection: Connection, lifecycle: Lifecycle, definitions: FactDefinitions, day: Day) -> Standing:
    """Worked out from everybody's events up to the instant, some customers at a time; nothing is written."""
    counts = _counts_as_of(connection, [lifecycle], definitions, day)
    return Standing(day.now, {key: counts[key,] for key in lifecycle.keys})


def standing_under_both(
    connection: Connection, one: Lifecycle, other: Lifecycle, definitions: FactDefinitions, day: Day
) -> Mapping[tuple[str, str], int]:
    """How many customers stand in each pair of stages as of an instant; their facts are worked out once."""
    counts = _counts_as_of(connection, [one, other], definitions, day)
    return {pair: counts[pair] for pair in product(one.keys, other.keys)}


def _counts_as_of(
    connection: Connection, lifecycles: Sequence[Lifecycle], definitions: FactDefinitions, day: Day
) -> Counter[tuple[str, ...]]:
    """Customers by their stage under each of the lifecycles."""
    count = connection.execute(select(func.count()).select_from(customers)).scalar_one()
    counts: Counter[tuple[str, ...]] = Counter()
    for shards in Shards.parts(count, AT_ONCE):
        then = _facts_then(definitions, connection.dialect.name, day, shards)
        stages = (stage_of(each, then, day).label(f"stage_{at}") for at, each in enumerate(lifecycles))
        found = select(*stages).subquery("found")
        for *keys, customers_there in connection.execute(select(*found.c, func.count()).group_by(*found.c)):
            counts[tuple(keys)] += customers_there
    return counts


def stages_as_of(
    lifecycle: Lifecycle, definitions: FactDefinitions, dialect: str, day: Day, shards: Shards
) -> Select[Any]:
    """Shard, customer_id, signed_up and stage of everybody in the shards, from their events up to the instant."""
    then = _facts_then(definitions, dialect, day, shards)
    return select(then.c.shard, then.c.customer_id, then.c.signed_up, stage_of(lifecycle, then, day).label("stage"))


def _facts_then(definitions: FactDefinitions, dialect: str, day: Day, shards: Shards) -> Subquery:
    raw = computed(definitions, dialect, day.now, shards).cte()
    # The facts table would give the values these types; conditions bind theirs by them.
    types = {column.name: column.type for column in facts_table(definitions).c}
    return select(*(type_coerce(column, types[column.name]).label(column.name) for column in raw.c)).subquery()


def stage_by_rules(lifecycle: Lifecycle, facts: Mapping[str, Any], day: Day) -> str:
    """The stage that a run at that instant would find for one customer."""
    fitting = (one.key for one in reversed(lifecycle.stages) if one.when is not None and one.when.holds(facts, day))
    return next(fitting, lifecycle.stages[0].key)


def stage_history(connection: Connection, customer_id: str, now: datetime) -> Sequence[Row[Any]]:
    """A customer's stage changes up to an instant, the oldest first."""
    own, shard = stage_changes.alias("own"), shard_of(customer_id)
    # Looked up in the index alone: asked for whole rows, SQLite without statistics reads the shard instead.
    days = select(own.c.day).where(own.c.shard == shard, own.c.customer_id == customer_id)
    mine = (stage_changes.c.shard == shard, stage_changes.c.customer_id == customer_id, stage_changes.c.day.in_(days))
    rows = select(stage_changes).where(*mine, stage_changes.c.changed_at <= now).order_by(stage_changes.c.day)
    return connection.execute(rows).all()
