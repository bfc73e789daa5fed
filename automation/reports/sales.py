"""Orders and refunds added up in the database by stage, month of the first order, and currency."""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, Select, Subquery, case, cast, func, select

from automation.customers.facts.compute import same_customer
from automation.database.schema import Shards, events
from automation.database.types import MICROSECOND
from automation.reports.asked import Asked
from automation.reports.earliest import earliest_event
from automation.reports.happened import Happened
from automation.reports.months import Months
from automation.reports.parts import parts
from automation.reports.standing import at_end


class Group(NamedTuple):
    """`month` is that of the first order, `2026-01`; None for refunds alone. `stage` is None before any run."""

    stage: str | None
    month: str | None
    currency: str


@dataclass(frozen=True)
class Sums:
    """`priced` are the orders that say what they cost; `customers` those who ever ordered."""

    orders: int
    priced: int
    revenue: Decimal
    refunds: Decimal
    customers: int
    orders_so_far: int
    net_so_far: Decimal

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))


def sales(asked: Asked) -> Mapping[Group, Sums]:
    """Of everybody who ever ordered or got something back, up to the end of the period."""
    last = asked.end - MICROSECOND
    months = Months.between(min(earliest_event(asked.connection) or last, last), last, asked.period.zone)
    found: dict[Group, Sums] = {}
    for shards in parts(asked):
        for stage, month, currency, *sums in asked.connection.execute(_grouped(asked, months, shards)):
            group = Group(stage, None if month is None else months.names[month], currency)
            found[group] = found[group] + Sums(*sums) if group in found else Sums(*sums)
    return found


def _grouped(asked: Asked, months: Months, shards: Shards) -> Select[Any]:
    bought, standing = _by_customer(asked, shards), at_end(asked, shards)
    first = func.min(bought.c.first_order).over(partition_by=(bought.c.shard, bought.c.customer_id))
    joined = bought.outerjoin(standing, same_customer(standing, bought))
    each = select(bought, standing.c.stage, first.label("first")).select_from(joined).subquery("each")
    month = case((each.c["first"].is_not(None), months.place(each.c["first"])))
    placed = select(each, month.label("month")).subquery("placed")
    values = Happened(asked).values
    return select(
        placed.c.stage,
        placed.c.month,
        placed.c.currency,
        *(cast(func.sum(placed.c[name]), Integer) for name in ("orders", "priced")),
        *(values.rounded(func.sum(placed.c[name])) for name in ("revenue", "refunds")),
        func.count().filter(placed.c.orders_so_far > 0),
        cast(func.sum(placed.c.orders_so_far), Integer),
        values.rounded(func.sum(placed.c.net_so_far)),
    ).group_by(placed.c.stage, placed.c.month, placed.c.currency)


def _by_customer(asked: Asked, shards: Shards) -> Subquery:
    """One row for each currency of a customer."""
    happened, named = Happened(asked), asked.settings.reports
    rows = (
        select(
            events.c.shard,
            events.c.customer_id,
            events.c.name,
            events.c.time,
            happened.currency.label("currency"),
            happened.amount.label("amount"),
            case((happened.is_refund, 1), else_=0).label("refund"),
            case((happened.in_period, 1), else_=0).label("now"),
        )
        .where(*happened.ever((*named.orders, *named.refunds), shards))
        .subquery("rows")
    )
    order, now = rows.c.refund == 0, rows.c.now == 1
    paid = func.coalesce(case((order, rows.c.amount), else_=-func.abs(rows.c.amount)), 0)
    columns: dict[str, ColumnElement[Any]] = {
        "first_order": func.min(rows.c.time).filter(order),
        "orders": func.count().filter(order, now),
        "priced": func.count(rows.c.amount).filter(order, now),
        "revenue": func.coalesce(func.sum(paid).filter(order, now), 0),
        "refunds": func.coalesce(func.sum(-paid).filter(~order, now), 0),
        "orders_so_far": func.count().filter(order),
        "net_so_far": func.sum(paid),
    }
    key = (rows.c.shard, rows.c.customer_id, rows.c.currency)
    return select(*key, *(column.label(name) for name, column in columns.items())).group_by(*key).subquery("bought")
