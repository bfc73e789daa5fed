"""Where customers stood at the start and at the end of a period.

For the lifecycle in use the stages are those that the daily runs found; for any other they are worked out from events.
"""

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, func, or_, select, union

from automation.clock import DAY
from automation.customers.facts.compute import same_customer
from automation.database.schema import Shards, stage_changes
from automation.database.types import MICROSECOND
from automation.lifecycle.conditions import Day
from automation.lifecycle.standing import stages_as_of
from automation.reports.asked import Asked
from automation.reports.parts import parts

THROUGH_ANOTHER = (
    "The stages of {name} are worked out from events, at the start and at the end of the period: what happened in "
    "between is not seen, and consent counts as it is today."
)


def at_start(asked: Asked, shards: Shards) -> Subquery:
    """Shard, customer_id and stage of everybody who stood in one before the period's first date."""
    if asked.in_use:
        return _last_found(shards, stage_changes.c.day <= asked.period.since - DAY)
    return _worked_out(asked, shards, Day(asked.start - MICROSECOND, asked.period.zone))


def at_end(asked: Asked, shards: Shards) -> Subquery:
    """The same as of the period's last date."""
    if asked.in_use:
        return _last_found(shards, stage_changes.c.day <= asked.period.until, stage_changes.c.changed_at < asked.end)
    return _worked_out(asked, shards, Day(asked.end - MICROSECOND, asked.period.zone))


def been(asked: Asked, shards: Shards) -> Subquery:
    """One row for each stage that a customer stood in at the start or entered in the period."""
    before = at_start(asked, shards)
    rows = select(before.c.shard, before.c.customer_id, before.c.stage)
    if not asked.in_use:
        return rows.subquery("been")
    entered = select(stage_changes.c.shard, stage_changes.c.customer_id, stage_changes.c.to_stage)
    return union(rows, entered.where(*in_period(asked, shards))).subquery("been")


def in_period(asked: Asked, shards: Shards) -> list[ColumnElement[bool]]:
    """The stage changes of the period, along their key."""
    day = stage_changes.c.day.between(asked.period.since, asked.period.until)
    return [shards.each_of(stage_changes), day, stage_changes.c.changed_at < asked.end]


def customers_at_end(asked: Asked) -> Counter[str]:
    """How many stand in each stage."""
    return _counted(asked, lambda shards: _one_by_one(at_end(asked, shards)))


def became(asked: Asked) -> Counter[tuple[str, str]]:
    """How many customers who have been in one stage stand in which at the end."""
    return _counted(asked, lambda shards: _pairs(been(asked, shards), at_end(asked, shards)))


def from_start_to_end(asked: Asked) -> Counter[tuple[str, str]]:
    return _counted(asked, lambda shards: _pairs(at_start(asked, shards), at_end(asked, shards)))


def notes_on(asked: Asked) -> list[str]:
    return [] if asked.in_use else [THROUGH_ANOTHER.format(name=asked.lifecycle.name)]


def _counted(asked: Asked, query: Any) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for shards in parts(asked):
        for *key, count in asked.connection.execute(query(shards)):
            found[tuple(key) if len(key) > 1 else key[0]] += count
    return found


def _one_by_one(standing: Subquery) -> Select[Any]:
    return select(standing.c.stage, func.count()).group_by(standing.c.stage)


def _pairs(before: Subquery, after: Subquery) -> Select[Any]:
    joined = before.join(after, same_customer(before, after))
    rows = select(before.c.stage, after.c.stage, func.count()).select_from(joined)
    return rows.group_by(before.c.stage, after.c.stage)


def _last_found(shards: Shards, *rules: ColumnElement[bool]) -> Subquery:
    """The newest change of each customer."""
    key = (stage_changes.c.shard, stage_changes.c.customer_id)
    newest = func.row_number().over(partition_by=key, order_by=stage_changes.c.day.desc()).label("newest")
    ranked = select(*key, stage_changes.c.to_stage, newest).where(shards.of(stage_changes), *rules).subquery()
    return (
        select(ranked.c.shard, ranked.c.customer_id, ranked.c.to_stage.label("stage"))
        .where(ranked.c.newest == 1)
        .subquery()
    )


def _worked_out(asked: Asked, shards: Shards, day: Day) -> Subquery:
    """Whoever signed up later was not there yet."""
    found = stages_as_of(asked.lifecycle, asked.book.facts, asked.dialect, day, shards).subquery()
    there = or_(found.c.signed_up.is_(None), found.c.signed_up <= day.now)
    return select(found.c.shard, found.c.customer_id, found.c.stage).where(there).subquery()
