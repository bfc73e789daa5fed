"""Which events are an order, a refund, a visit …, as [reports] in config.toml says, and the money in them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, or_, select

from automation.customers.facts.aggregates import currency_of
from automation.customers.facts.json_values import Values, json_values
from automation.database.schema import Shards, events
from automation.reports.asked import Asked


class Happened:
    """Rules over the table of events."""

    def __init__(self, asked: Asked) -> None:
        self._asked, self._named = asked, asked.settings.reports
        self.values: Values = json_values(asked.dialect)

    @property
    def amount(self) -> ColumnElement[Any]:
        """The first of the money's properties that the event has; NULL without any."""
        found = [self.values.value(events.c.properties, key, "number") for key in self._named.amounts]
        return func.coalesce(*found, None)

    @property
    def currency(self) -> ColumnElement[str]:
        return currency_of(self.values, self._asked.settings.business.currency)

    @property
    def is_order(self) -> ColumnElement[bool]:
        """An order of less than nothing is a refund."""
        return and_(events.c.name.in_(self._named.orders), func.coalesce(self.amount, 0) >= 0)

    @property
    def is_refund(self) -> ColumnElement[bool]:
        below = and_(events.c.name.in_(self._named.orders), self.amount < 0)
        return or_(events.c.name.in_(self._named.refunds), below)

    @property
    def in_period(self) -> ColumnElement[bool]:
        return and_(events.c.time >= self._asked.start, events.c.time < self._asked.end)

    def within(self, names: Iterable[str], shards: Shards) -> list[ColumnElement[bool]]:
        """The events of the period with these names, along the index by time."""
        return [shards.each_of(events), self.in_period, events.c.name.in_(tuple(names))]

    def ever(self, names: Iterable[str], shards: Shards) -> list[ColumnElement[bool]]:
        """Those up to the end of the period."""
        return [shards.of(events), events.c.time < self._asked.end, events.c.name.in_(tuple(names))]


def buyers(asked: Asked, shards: Shards) -> Subquery:
    """Whoever ordered or brought somebody up to the end of the period, one row a customer."""
    happened, named = Happened(asked), asked.settings.reports
    ordered = happened.is_order
    rows: Select[Any] = select(
        events.c.shard,
        events.c.customer_id,
        func.min(events.c.time).filter(ordered).label("first_order"),
        func.count().filter(ordered).label("orders"),
        func.count().filter(ordered, happened.in_period).label("in_period"),
        func.count().filter(events.c.name.in_(named.referrals)).label("referrals"),
    )
    rows = rows.where(*happened.ever((*named.orders, *named.referrals), shards))
    return rows.group_by(events.c.shard, events.c.customer_id).subquery("buyers")
