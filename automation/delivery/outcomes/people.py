"""Whose number it is: of customers who have it today, and of those to whom we wrote at it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, select

from automation.database.schema import TEXTS, customers, messages

MOST = 1000  # customers that share a number


@dataclass(frozen=True)
class Person:
    """`has_it`: it is their number today."""

    shard: int
    customer_id: str
    locale: str | None
    has_it: bool

    @property
    def key(self) -> tuple[int, str]:
        return (self.shard, self.customer_id)


def people_at(connection: Connection, number: str) -> Sequence[Person]:
    """Those who have the number first; among them those to whom we wrote at it, the latest first."""
    of = customers.c
    same = and_(of.shard == messages.c.shard, of.customer_id == messages.c.customer_id)
    written = (
        select(of.shard, of.customer_id, of.locale, of.phone)
        .join_from(messages, customers, same)
        .where(TEXTS, messages.c.address == number, of.erased_at.is_(None))
        .group_by(of.shard, of.customer_id, of.locale, of.phone)
        .order_by(func.max(messages.c.first_used_at).desc())
    )
    theirs = select(of.shard, of.customer_id, of.locale, of.phone).where(of.phone == number, of.erased_at.is_(None))
    rows = [*connection.execute(written.limit(MOST)), *connection.execute(theirs.limit(MOST))]
    people = dict.fromkeys(Person(row.shard, row.customer_id, row.locale, row.phone == number) for row in rows)
    return sorted(people, key=lambda one: not one.has_it)
