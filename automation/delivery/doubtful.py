"""Which planned messages a gate could stop: found by one query, so that only those are looked at one by one.

Everything a gate asks is asked here too, a little more widely: a message that is passed over would have been `Send`.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, exists, false, or_, select, true

from automation.customers.facts.compute import facts_table, same_customer
from automation.database.schema import PLANNED, Shards, customers, enrollments, messages, suppressions
from automation.delivery.cases import MessageKey, consent_of_message, of_enrollment, to_address
from automation.delivery.decide import WEEK
from automation.delivery.desk import Desk, pauses_at
from automation.playbooks.model import HOLDOUT

DAY = timedelta(days=1)
MARKETING = messages.c.kind == "marketing"


def doubtful(connection: Connection, desk: Desk, shards: Shards, now: datetime, until: datetime) -> list[MessageKey]:
    """The planned messages due before `until` that need a decision, by customer."""
    facts = facts_table(desk.book.facts)
    stopped = or_(
        messages.c.due_at < now,  # late, or its window has closed since
        customers.c.erased_at.is_not(None),
        to_address().is_(None),
        exists().where(suppressions.c.channel == messages.c.channel, suppressions.c.address == to_address()),
        _is_paused(connection, desk, now),
        _step_rule_fails(desk, facts, now),
        and_(MARKETING, enrollments.c.arm == HOLDOUT),
        and_(MARKETING, case((consent_of_message(), false()), else_=true())),
        and_(MARKETING, _has_company(now)),
    )
    found = (
        select(messages.c.shard, messages.c.message_id)
        .join(enrollments, of_enrollment(enrollments))
        .join(customers, same_customer(customers, messages))
        .outerjoin(facts, same_customer(facts, messages))
        .where(shards.each_of(messages), PLANNED, messages.c.due_at < until, stopped)
        .order_by(messages.c.shard, messages.c.customer_id)
    )
    return [(row.shard, row.message_id) for row in connection.execute(found)]


def _is_paused(connection: Connection, desk: Desk, now: datetime) -> ColumnElement[bool]:
    scopes = pauses_at(connection, desk.book, now)
    if "everything" in scopes:
        return true()
    keys = sorted(scope.removeprefix("playbook:") for scope in scopes if scope.startswith("playbook:"))
    return messages.c.playbook.in_(keys)


def _step_rule_fails(desk: Desk, facts: Any, now: datetime) -> ColumnElement[bool]:
    day = desk.day(now)
    rules = [
        and_(
            messages.c.playbook == playbook.key,
            messages.c.step == step.key,
            case((step.when.sql(lambda name: facts.c[name], day), false()), else_=true()),
        )
        for playbook in desk.book.playbooks.values()
        for step in playbook.steps
        if step.when is not None
    ]
    return or_(false(), *rules)


def _has_company(now: datetime) -> ColumnElement[bool]:
    """Another marketing message to the customer on the channel, sent lately or due soon: the caps may be reached."""
    other = messages.alias("other")
    return exists().where(
        same_customer(other, messages),
        other.c.channel == messages.c.channel,
        other.c.message_id != messages.c.message_id,
        other.c.kind == "marketing",
        or_(
            and_(other.c.status.in_(["sent", "sending", "unknown"]), other.c.first_used_at > now - DAY * (WEEK + 2)),
            and_(other.c.status == "planned", other.c.due_at < now + DAY * 2),
        ),
    )
