"""The money in what playbooks hope for: goal events within the goal's time after an entry."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, case, func, literal, select

from automation.customers.facts.aggregates import currency_of
from automation.customers.facts.compute import same_customer
from automation.customers.facts.json_values import json_values
from automation.database.schema import Shards, enrollments, events
from automation.database.types import Key, later
from automation.playbooks.model import Goal
from automation.reports.arms import Arm, closed, entered, known_until
from automation.reports.asked import Asked
from automation.reports.parts import parts

Goals = Mapping[str, Goal]


def add_revenue(asked: Asked, arms: Mapping[tuple[str, str], Arm]) -> None:
    """To the arms of every playbook whose goal names a value."""
    hoped = {key: one.model.goal for key, one in asked.book.playbooks.items()}
    goals = {key: goal for key, goal in hoped.items() if goal is not None and goal.value is not None}
    here = {key: goal for key, goal in goals.items() if any(key == playbook for playbook, _ in arms)}
    if not here:
        return
    until = known_until(asked)
    for shards in parts(asked):
        for playbook, arm, currency, amount in asked.connection.execute(_earned(asked, here, until, shards)):
            arms[playbook, arm].earn(currency, amount)


def _earned(asked: Asked, goals: Goals, until: datetime, shards: Shards) -> Select[Any]:
    windows, values = _windows(asked, goals, until, shards), json_values(asked.dialect)
    amount = _by_goal(
        windows.c.playbook,
        goals,
        lambda goal: goal.value,
        lambda name: values.value(events.c.properties, name, "number"),
    )
    rows = (
        select(
            windows.c.playbook,
            windows.c.arm,
            currency_of(values, asked.settings.business.currency).label("currency"),
            amount.label("amount"),
        )
        .select_from(windows.join(events, same_customer(events, windows)))
        .where(
            events.c.name == windows.c.event,
            events.c.time > windows.c.entered_at,
            events.c.time <= windows.c.until,
            events.c.time <= until,
        )
        .subquery("rows")
    )
    key = (rows.c.playbook, rows.c.arm, rows.c.currency)
    # What is less than nothing is a refund.
    return select(*key, values.rounded(func.sum(rows.c.amount))).where(rows.c.amount > 0).group_by(*key)


def _windows(asked: Asked, goals: Goals, until: datetime, shards: Shards) -> Subquery:
    """When each closed passage's goal counts: to the end of its time, or to the customer's next entry, so that an event
    is counted once.
    """
    columns = enrollments.c
    same = (columns.shard, columns.customer_id, columns.playbook)
    following = func.lead(columns.entered_at).over(
        partition_by=same, order_by=(columns.entered_at, columns.enrollment_id)
    )
    end = _by_goal(
        columns.playbook,
        goals,
        lambda goal: goal.within,
        lambda within: later(columns.entered_at, within, asked.dialect),
    )
    event = _by_goal(columns.playbook, goals, lambda goal: goal.event, lambda name: literal(name, Key))
    each = (
        select(
            *same,
            columns.arm,
            columns.entered_at,
            closed(asked, until).label("closed"),
            end.label("end"),
            event.label("event"),
            following.label("following"),
        )
        .where(*entered(asked, shards), columns.playbook.in_(sorted(goals)))
        .subquery("each")
    )
    last = case((each.c.following < each.c.end, each.c.following), else_=each.c.end).label("until")
    return select(each, last).where(each.c.closed).subquery("windows")


def _by_goal(
    playbook: ColumnElement[Any], goals: Goals, of: Callable[[Goal], Any], then: Callable[[Any], ColumnElement[Any]]
) -> ColumnElement[Any]:
    """What a property of the goal comes to, one case for all the playbooks that share it."""
    return case(*((playbook.in_(keys), then(found)) for found, keys in _shared(goals, of)))


def _shared(goals: Goals, of: Callable[[Goal], Hashable]) -> Iterable[tuple[Any, list[str]]]:
    found: defaultdict[Hashable, list[str]] = defaultdict(list)
    for key, goal in sorted(goals.items()):
        found[of(goal)].append(key)
    return found.items()
