"""Where everybody stands: one set-based pass over a range of shards."""

from datetime import date
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, FromClause, Table, case, func, insert, literal, select, update

from automation.customers.facts.compute import same_customer
from automation.database.schema import Shards, stage_changes
from automation.lifecycle.conditions import Day
from automation.lifecycle.model import Lifecycle

EVERYWHERE = Shards()


def stage_of(lifecycle: Lifecycle, facts: FromClause, day: Day) -> ColumnElement[str]:
    """The key of the last stage whose rule holds, as SQL."""
    first, *others = lifecycle.stages
    rules = [(one.when.sql(lambda name: facts.c[name], day), literal(one.key)) for one in reversed(others) if one.when]
    return case(*rules, else_=literal(first.key)) if rules else literal(first.key)


def change_stages(
    connection: Connection, lifecycle: Lifecycle, facts: Table, shards: Shards, day: Day, run: date
) -> int:
    """Write the changes into the history, then bring the facts up to it. Returns how many customers moved.

    A change is of the run's date: a run that begins late, after midnight, leaves the next date to the next run.
    """
    found = stage_of(lifecycle, facts, day)
    moved = select(
        facts.c.shard,
        literal(run).label("day"),
        facts.c.customer_id,
        facts.c.stage.label("from_stage"),
        found.label("to_stage"),
        _move(lifecycle, facts.c.stage, found).label("move"),
        literal(day.now, stage_changes.c.changed_at.type).label("changed_at"),
    ).where(shards.of(facts), facts.c.stage.is_distinct_from(found))
    changes = connection.execute(insert(stage_changes).from_select(list(moved.selected_columns.keys()), moved)).rowcount
    if changes:
        connection.execute(
            update(facts)
            .values(stage=stage_changes.c.to_stage, stage_since=stage_changes.c.changed_at)
            .where(same_customer(facts, stage_changes), shards.of(stage_changes), stage_changes.c.day == run)
        )
    return changes


def customers_by_stage(
    connection: Connection, lifecycle: Lifecycle, facts: Table, shards: Shards = EVERYWHERE
) -> dict[str, int]:
    """How many customers stand in each stage, in the lifecycle's order."""
    each = [func.count().filter(facts.c.stage == key).label(key) for key in lifecycle.keys]
    return dict(connection.execute(select(*each).where(shards.of(facts))).mappings().one())


def customers_by_any_stage(connection: Connection, facts: Table) -> dict[str, int]:
    """The same for stages of whatever lifecycle: after a switch they stand where the last run left them."""
    rows = select(facts.c.stage, func.count()).where(facts.c.stage.is_not(None)).group_by(facts.c.stage)
    return dict(connection.execute(rows).all())


def _move(lifecycle: Lifecycle, old: Column[Any], new: ColumnElement[str]) -> ColumnElement[str]:
    """first, forward (to the next stage), skip (further on) or back: customers no longer go in order.

    Who comes from a stage that this lifecycle does not have comes from another one: it is their first here.
    """
    order = {key: index for index, key in enumerate(lifecycle.keys)}
    before, after = case(order, value=old), case(order, value=new)
    return case(
        (before.is_(None), literal("first")),
        (after == before + 1, literal("forward")),
        (after > before, literal("skip")),
        else_=literal("back"),
    )
