"""Who ordered again: customers by the month of their first order, and the months after it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select

from automation.database.schema import Shards, events
from automation.database.types import MICROSECOND
from automation.reports.asked import Asked
from automation.reports.earliest import earliest_event
from automation.reports.figures import Figure, Report, Share, Table
from automation.reports.happened import Happened
from automation.reports.months import Months
from automation.reports.parts import parts

ABOUT = (
    "Customers whose first order was in a month of the period, and the share of them who ordered again: in month 0 a "
    "second time within the same calendar month, in month 1 in the next one, and so on up to the end of the period."
)
RUNNING = "The last month of the period is not over: what is told of it can still rise."
# How many months fit beside each other on a screen: as percent, and as counts.
PERCENT_MONTHS, COUNT_MONTHS = 12, 8


class Cohort(NamedTuple):
    """`again` is how many ordered again, by months since the first order."""

    month: str
    customers: int
    again: Sequence[int]


def report(asked: Asked) -> Report:
    """Whole months, also where the period begins within one."""
    found = _cohorts(asked)
    rows = [
        (one.month, one.customers, later, Share(count, one.customers))
        for one in found
        for later, count in enumerate(one.again)
    ]
    long = Table("retention", ("cohort", "customers", "month", "again"), rows, "Ordered again", on_screen=False)
    shares = _matrix(
        "shares",
        found,
        PERCENT_MONTHS,
        _percent,
        "Ordered again, in percent of the cohort, by months since the first order",
    )
    counts = _matrix("counts", found, COUNT_MONTHS, lambda count, _: f"{count:,}", "The same, in customers")
    everybody = sum(one.customers for one in found)
    figures = {"customers": Figure("Customers", everybody, "Their first order was in a month of the period.")}
    notes = [RUNNING] if asked.months.end > asked.end else []
    return Report("cohorts", asked.period, ABOUT, figures, [long, shares, counts], notes)


def _matrix(name: str, found: Sequence[Cohort], most: int, cell: Any, title: str) -> Table:
    """At most so many months; the others are in the long table."""
    width = min(most, max((len(one.again) for one in found), default=0))
    rows = [
        (
            one.month,
            one.customers,
            *(cell(*_of(one, later)) if later < len(one.again) else "" for later in range(width)),
        )
        for one in found
    ]
    return Table(name, ("cohort", "customers", *map(str, range(width))), rows, title)


def _of(one: Cohort, later: int) -> tuple[int, int]:
    return one.again[later], one.customers


def _percent(count: int, customers: int) -> str:
    return f"{100 * count / customers:.0f}"


def _cohorts(asked: Asked) -> list[Cohort]:
    """Oldest first; a month in which nobody ordered for the first time has none."""
    last = asked.end - MICROSECOND
    months = Months.between(min(earliest_event(asked.connection) or last, last), last, asked.period.zone)
    sizes, again = _counted(asked, months)
    wanted = set(asked.months.names)
    return [
        Cohort(name, sizes[place], [again[place, later] for later in range(len(months.names) - place)])
        for place, name in enumerate(months.names)
        if name in wanted and sizes[place]
    ]


def _counted(asked: Asked, months: Months) -> tuple[Mapping[int, int], Mapping[tuple[int, int], int]]:
    """Customers by the place of their first month; those who ordered again also by months since."""
    sizes, again = Counter[int](), Counter[tuple[int, int]]()
    for shards in parts(asked):
        for first, later, customers, repeating in asked.connection.execute(_by_month(asked, months, shards)):
            again[first, later] += repeating
            sizes[first] += customers if later == 0 else 0
    return sizes, again


def _by_month(asked: Asked, months: Months, shards: Shards) -> Select[Any]:
    happened = Happened(asked)
    rows = happened.ever(asked.settings.reports.orders, shards)
    key = (events.c.shard, events.c.customer_id)
    order = select(*key, months.place(events.c.time).label("month")).where(*rows, happened.is_order).subquery("orders")
    whose = (order.c.shard, order.c.customer_id)
    each = select(*whose, order.c.month, func.count().label("count")).group_by(*whose, order.c.month).subquery("each")
    first = func.min(each.c.month).over(partition_by=(each.c.shard, each.c.customer_id))
    placed = select(each.c.month, each.c["count"], first.label("first")).subquery("placed")
    later = (placed.c.month - placed.c["first"]).label("later")
    timed = select(placed.c["first"], later, placed.c["count"]).subquery("timed")
    repeating = func.count().filter(or_(timed.c.later > 0, timed.c["count"] > 1))
    return select(timed.c["first"], timed.c.later, func.count(), repeating).group_by(timed.c["first"], timed.c.later)
