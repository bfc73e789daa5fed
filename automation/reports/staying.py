"""How long customers stay in each stage, where they moved lately, and where they would stand in every lifecycle."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import func, select

from automation.customers.facts.compute import facts_table
from automation.database.schema import facts_as_of
from automation.lifecycle.conditions import Day
from automation.lifecycle.evaluate import stage_of
from automation.lifecycle.model import Lifecycle
from automation.lifecycle.standing import last_run
from automation.playbooks.lifecycles import lifecycle_files, read_lifecycle
from automation.reports.asked import Asked
from automation.reports.medians import median_of
from automation.reports.moved import moved
from automation.reports.transitions import recorded

Days = Mapping[str, Mapping[int, int]]


def staying(asked: Asked) -> dict[str, Any] | None:
    """`inside`: who stands where, and the median of the days so far; `left`: the same of the stages that were left in
    the period; `moved`: from the stage at its start (null: who came in it) to that at its end; `models`: customers by
    stage in each lifecycle.

    None when facts.toml has changed since the last run.
    """
    if not facts_fit(asked):
        return None
    return {
        "since": asked.period.since.isoformat(),
        "until": asked.period.until.isoformat(),
        "inside": _medians(_inside(asked)),
        "left": _medians(_left(asked)),
        "moved": [[before, after, count] for (before, after), count in sorted(moved(asked).items(), key=_in_order)],
        "models": list(_models(asked)),
    }


def _in_order(pair: tuple[tuple[str | None, str], int]) -> tuple[str, str]:
    (before, after), _ = pair
    return before or "", after


def facts_fit(asked: Asked) -> bool:
    """Whether the facts of the last run are those that the files speak of."""
    known = set(asked.connection.execute(select(facts_as_of.c.definitions).distinct()).scalars())
    return known == {asked.book.facts.fingerprint}


def _inside(asked: Asked) -> Days:
    """Stages change with a run, so that few instants are told apart."""
    facts, day = facts_table(asked.book.facts), Day(asked.now, asked.period.zone)
    key = (facts.c.stage, facts.c.stage_since)
    found: dict[str, Counter[int]] = defaultdict(Counter)
    rows = select(*key, func.count()).where(facts.c.stage.is_not(None), facts.c.stage_since.is_not(None))
    for stage, since, count in asked.connection.execute(rows.group_by(*key)):
        found[stage][day.days_since(since)] += count
    return found


def _left(asked: Asked) -> Days:
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for change in recorded(asked):
        if change.before is not None:
            found[change.before].update(change.days)
    return found


def _medians(days: Days) -> dict[str, Any]:
    found = ((stage, median_of(of_stage), sum(of_stage.values())) for stage, of_stage in sorted(days.items()))
    return {stage: {"customers": count, "days": float(days)} for stage, days, count in found if days is not None}


def _models(asked: Asked) -> Iterator[dict[str, Any]]:
    """By the facts of the last run; a file with mistakes is left out, `automation check` tells of it."""
    day = Day(last_run(asked.connection) or asked.now, asked.period.zone)
    for path in lifecycle_files(asked.settings):
        lifecycle, problems = read_lifecycle(asked.settings, path, asked.book.facts)
        if lifecycle is not None and not problems:
            counts = counted_by_rules(asked, lifecycle, day)
            stages = [[stage.key, stage.name, counts[stage.key]] for stage in lifecycle.stages]
            yield {"key": lifecycle.key, "name": lifecycle.name, "stages": stages}


def counted_by_rules(asked: Asked, lifecycle: Lifecycle, day: Day) -> Counter[str]:
    """Customers by the stage that the lifecycle's rules find for the facts as they are kept."""
    facts = facts_table(asked.book.facts)
    found = select(stage_of(lifecycle, facts, day).label("stage")).subquery("found")
    rows = select(found.c.stage, func.count()).group_by(found.c.stage)
    return Counter(dict(asked.connection.execute(rows).all()))
