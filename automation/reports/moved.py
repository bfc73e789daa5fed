"""Where customers stood before a period and where at its end, from the changes in between and what the runs counted.

The cost is that of the changes in the period, however many customers there are.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Text, func, select, type_coerce

from automation.clock import DAY
from automation.database.schema import Shards, stage_changes
from automation.database.work import runs
from automation.reports.asked import Asked
from automation.reports.parts import parts
from automation.reports.standing import in_period

LENGTH = len("2026-01-31")
# From None: who came in the period.
Moved = Counter[tuple[str | None, str]]


def moved(asked: Asked) -> Moved:
    """Customers by the stage they stood in before the first date and the one at the end of the last, in the lifecycle
    in use; who stayed counts too.
    """
    found: Moved = Counter()
    for shards in parts(asked):
        for before, after, count in asked.connection.execute(_pairs(asked, shards)):
            found[before, after] += count
    gone = Counter[str | None]()
    for (before, _), count in found.items():
        gone[before] += count
    for stage, count in stages_on(asked.connection, asked.period.since - DAY).items():
        found[stage, stage] += count - gone[stage]
    return +found


def stages_on(connection: Connection, day: date) -> Mapping[str, int]:
    """Customers by stage as of the newest run up to a date: nobody moves but in a run. Empty before the first one."""
    known = select(runs.c.summary).where(runs.c.date <= day, runs.c.status == "done")
    summary = connection.execute(known.order_by(runs.c.date.desc()).limit(1)).scalar()
    stages: Mapping[str, int] = summary["stages"] if summary else {}
    return stages


def stages_by_date(connection: Connection, since: date, until: date) -> dict[date, Mapping[str, int]]:
    """The same for each date that was run."""
    rows = select(runs.c.date, runs.c.summary).where(runs.c.date.between(since, until), runs.c.status == "done")
    return {row.date: row.summary["stages"] for row in connection.execute(rows.order_by(runs.c.date))}


def _pairs(asked: Asked, shards: Shards) -> Select[Any]:
    """The first stage that each customer left, and the last that they entered: with its day before it, the smallest
    text is the first and the largest the last. Two window functions would take twice as long.
    """
    day = _written(stage_changes.c.day, asked.dialect)
    left, entered = func.coalesce(stage_changes.c.from_stage, ""), stage_changes.c.to_stage
    ends = (
        select(func.min(day + left).label("first"), func.max(day + entered).label("last"))
        .where(*in_period(asked, shards))
        .group_by(stage_changes.c.shard, stage_changes.c.customer_id)
        .subquery()
    )
    before, after = (func.substr(one, LENGTH + 1) for one in (ends.c.first, ends.c.last))
    pair = (func.nullif(before, "").label("before"), after.label("after"))
    return select(*pair, func.count()).group_by(*pair)


def _written(day: ColumnElement[Any], dialect: str) -> ColumnElement[str]:
    """As 2026-01-31, which SQLite keeps it as."""
    return func.to_char(day, "YYYY-MM-DD") if dialect == "postgresql" else type_coerce(day, Text())
