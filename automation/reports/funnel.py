"""How many stand in each stage, and what became of those who have been in it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from automation.reports.asked import Asked
from automation.reports.course import Course
from automation.reports.figures import Figure, Report, Share, Table
from automation.reports.standing import became, customers_at_end, notes_on

ABOUT = (
    "Customers by stage at the end of the period. Of those who stood in a stage at its start or entered it since: who "
    "stands in a later stage now (moved on), in an earlier one (moved back), in one that means leaving (left), or "
    "still or again in it (stayed)."
)
OUTCOMES = ("moved on", "stayed", "moved back", "left")
ELSEWHERE = "{count:,} passages were through stages that this lifecycle does not have; they are in no share."


def report(asked: Asked) -> Report:
    """The lifecycle's stages in its own order."""
    course = Course(asked.lifecycle)
    standing, pairs = customers_at_end(asked), became(asked)
    known = {pair: count for pair, count in pairs.items() if set(pair) <= course.places.keys()}
    unknown = sum(pairs.values()) - sum(known.values())
    everybody = sum(standing.values())
    return Report(
        "funnel",
        asked.period,
        ABOUT,
        {"customers": Figure("Customers", everybody, "Whoever stands in a stage at the end of the period.")},
        [_stages(asked, standing, everybody), _moves(course, known)],
        [*notes_on(asked), *([ELSEWHERE.format(count=unknown)] if unknown else [])],
    )


def _stages(asked: Asked, standing: Mapping[str, int], everybody: int) -> Table:
    names = {stage.key: stage.name for stage in asked.lifecycle.stages}
    keys = Course(asked.lifecycle).in_order({*names, *standing})
    rows = [(key, names.get(key, ""), Share(standing.get(key, 0), everybody)) for key in keys]
    return Table("stages", ("stage", "name", "customers"), rows, "Customers by stage", bars="customers")


def _moves(course: Course, pairs: Mapping[tuple[str, str], int]) -> Table:
    rows = list(_became(course, pairs))
    return Table("moves", ("stage", "then", "customers"), rows, "What became of those who were in it", bars="customers")


def _became(course: Course, pairs: Mapping[tuple[str, str], int]) -> Iterator[tuple[Any, ...]]:
    for stage in course.places:
        found: Counter[str] = Counter()
        for (before, after), count in pairs.items():
            if before == stage:
                found[course.outcome(before, after)] += count
        if found.total():
            yield from ((stage, one, Share(found[one], found.total())) for one in OUTCOMES if found[one])
