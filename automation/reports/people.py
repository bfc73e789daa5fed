"""Customers counted by what they have done: one pass over their orders, some customers at a time."""

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, select

from automation.customers.facts.compute import same_customer
from automation.customers.facts.json_values import json_values
from automation.customers.referrals import ATTRIBUTE
from automation.database.schema import Shards, customers
from automation.reports.asked import Asked
from automation.reports.happened import buyers
from automation.reports.parts import parts
from automation.reports.standing import at_end, at_start


def people_counted(asked: Asked) -> Counter[str]:
    """leads, converted, ordering, repeating, buyers, referrers, new, brought, and staying and gone."""
    found: Counter[str] = Counter()
    for shards in parts(asked):
        found.update(dict(asked.connection.execute(_people(asked, shards)).mappings().one()))
    return found


def _people(asked: Asked, shards: Shards) -> Select[Any]:
    bought = buyers(asked, shards)
    rules = _rules(asked, bought.c)
    joined: Any = customers.outerjoin(bought, same_customer(customers, bought))
    if leaving := asked.lifecycle.having("leaving"):
        before, after = at_start(asked, shards), at_end(asked, shards)
        joined = joined.outerjoin(before, same_customer(before, customers))
        joined = joined.outerjoin(after, same_customer(after, customers))
        staying = and_(bought.c.first_order < asked.start, before.c.stage.not_in(leaving))
        rules |= {"staying": staying, "gone": and_(staying, after.c.stage.in_(leaving))}
    counts: list[Any] = [func.count().filter(rule).label(name) for name, rule in rules.items()]
    return select(*counts).select_from(joined).where(shards.of(customers))


def _rules(asked: Asked, bought: Any) -> dict[str, ColumnElement[bool]]:
    lead = and_(customers.c.signup_at >= asked.start, customers.c.signup_at < asked.end)
    ordering, new = bought.in_period > 0, bought.first_order >= asked.start
    brought = json_values(asked.dialect).as_text(customers.c.attributes, ATTRIBUTE, "text")
    return {
        "leads": lead,
        "converted": and_(lead, bought.first_order.is_not(None)),
        "ordering": ordering,
        "repeating": and_(ordering, bought.orders > 1),
        "buyers": bought.orders > 0,
        "referrers": and_(bought.orders > 0, bought.referrals > 0),
        "new": new,
        "brought": and_(new, brought.is_not(None), brought != ""),
    }
