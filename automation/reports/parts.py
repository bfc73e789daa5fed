"""Customers are looked at some at a time, so that grouping a million of them needs little memory."""

from collections.abc import Iterator

from sqlalchemy import func, select

from automation.database.schema import Shards, customers
from automation.reports.asked import Asked

AT_ONCE = 100_000


def parts(asked: Asked) -> Iterator[Shards]:
    """All shards in ranges with some hundred thousand customers each; what is counted in them is added up."""
    count = asked.connection.execute(select(func.count()).select_from(customers)).scalar_one()
    return Shards.parts(count, AT_ONCE)
