"""Loading what the gates look at, for a batch of messages in a few queries."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    case,
    exists,
    insert,
    null,
    or_,
    select,
)

from automation.clock import local_date
from automation.customers.facts.compute import facts_table, same_customer
from automation.customers.facts.refresh import facts_of
from automation.customers.profile import home_of
from automation.database.schema import consents, customers, enrollments, messages, offers, suppressions
from automation.database.temporary import empty, shard_column, temporary
from automation.database.types import Id
from automation.delivery.decide import WEEK, Case, Span, Traffic
from automation.delivery.desk import Desk, pauses_at
from automation.playbooks.enroll import first_goal
from automation.playbooks.model import Playbook
from automation.reasons import Reason

MessageKey = tuple[int, int]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Loaded:
    """A message's row, the customer's facts, and the case made of them."""

    row: Row[Any]
    facts: Mapping[str, Any]
    case: Case


def load_cases(
    connection: Connection,
    desk: Desk,
    keys: Sequence[MessageKey],
    now: datetime,
    spoken: Collection[str] = (),
) -> list[Loaded]:
    """The messages with these keys, the most important of each customer first. Each is decided as of when it is due.

    `spoken` are facts that the messages speak of; those that decide are always loaded.
    """
    _ask(connection, keys)
    names = _needed(desk, spoken)
    rows = connection.execute(_rows(connection, desk, names, now)).all()
    facts = _facts(connection, desk, names, rows, now)
    traffic = _traffic(connection, now)
    pauses = pauses_at(connection, desk.book, now)
    loaded = []
    for row in sorted(rows, key=lambda one: (one.shard, one.customer_id, -one.priority, one.due_at, one.message_id)):
        seen = facts[row.shard, row.customer_id]
        about = traffic.setdefault((row.customer_id, row.channel), Traffic())
        loaded.append(Loaded(row, seen, _case(desk, row, seen, about, pauses, now)))
    return loaded


def _needed(desk: Desk, spoken: Collection[str]) -> list[str]:
    """Columns of the facts table: a customer's row of it has many more."""
    asked_for = (condition.names for playbook in desk.book.playbooks.values() for condition in playbook.conditions)
    wanted = {"stale", "stage", "stage_since", *spoken}.union(*asked_for)
    return [column.name for column in facts_table(desk.book.facts).c if column.name in wanted]


def _ask(connection: Connection, keys: Sequence[MessageKey]) -> None:
    """Put the keys into `asked`, which both databases join by key; a list of pairs is a scan on SQLite."""
    empty(connection, asked)
    connection.execute(insert(asked), [{"shard": shard, "message_id": message_id} for shard, message_id in keys])


def _is_asked(table: Any) -> ColumnElement[bool]:
    return and_(table.c.shard == asked.c.shard, table.c.message_id == asked.c.message_id)


def _rows(connection: Connection, desk: Desk, names: Sequence[str], now: datetime) -> Select[Any]:
    facts = facts_table(desk.book.facts)
    address = to_address()
    suppressed = exists().where(suppressions.c.channel == messages.c.channel, suppressions.c.address == address)
    return (
        select(
            *messages.c[*COLUMNS],
            enrollments.c.arm,
            enrollments.c.exited_at,
            enrollments.c.exit_reason,
            enrollments.c.goal_at,
            _goal_now(connection, desk, now).label("goal_now"),
            customers.c.locale,
            customers.c.timezone,
            customers.c.country,
            customers.c.phone,
            customers.c.attributes,
            customers.c.erased_at,
            address.label("to_address"),
            suppressed.label("suppressed"),
            consent_of_message().label("consented"),
            offers.c.code.label("offer_code"),
            offers.c.expires_at,
            *(facts.c[name].label(f"fact_{name}") for name in names),
        )
        .select_from(asked.join(messages, _is_asked(messages)))
        .join(enrollments, of_enrollment(enrollments))
        .join(customers, same_customer(customers, messages))
        .outerjoin(facts, same_customer(facts, messages))
        .outerjoin(offers, of_enrollment(offers))
    )


COLUMNS = (
    "shard",
    "message_id",
    "customer_id",
    "enrollment_id",
    "playbook",
    "version_id",
    "step",
    "variant",
    "channel",
    "kind",
    "topic",
    "priority",
    "planned_at",
    "due_at",
    "deadline",
    "attempts",
    "fence",
    "possible_duplicate",
    "flags",
    "again_of",
)
asked = temporary(
    "asked", shard_column(), Column("message_id", Id, primary_key=True, autoincrement=False), expected="500 2 1"
)


def to_address() -> ColumnElement[Any]:
    """The customer's address on the message's channel."""
    return case((messages.c.channel == "email", customers.c.email), else_=customers.c.phone)


def of_enrollment(table: Any) -> ColumnElement[bool]:
    return and_(table.c.shard == messages.c.shard, table.c.enrollment_id == messages.c.enrollment_id)


def consent_of_message() -> ColumnElement[Any]:
    """The newest record on the message's topic or on every topic of its channel."""
    return (
        select(consents.c.granted)
        .where(
            same_customer(consents, messages),
            consents.c.channel == messages.c.channel,
            consents.c.topic.in_([messages.c.topic, "*"]),
        )
        .order_by(consents.c.number.desc())
        .limit(1)
        .correlate(messages)
        .scalar_subquery()
    )


def _goal_now(connection: Connection, desk: Desk, now: datetime) -> ColumnElement[Any]:
    """When the goal was met by events that came in after the daily run looked."""
    hoping = [(key, one.model.goal) for key, one in desk.book.playbooks.items() if one.model.goal]
    if not hoping:
        return null()
    day = desk.day(now)
    return case(
        {key: first_goal(connection, goal, day).scalar_subquery() for key, goal in hoping}, value=messages.c.playbook
    )


def _facts(
    connection: Connection, desk: Desk, names: Sequence[str], rows: Iterable[Row[Any]], now: datetime
) -> dict[tuple[int, str], Mapping[str, Any]]:
    """From the table; computed anew for customers of whom something arrived since."""
    found: dict[tuple[int, str], Mapping[str, Any]] = {}
    for row in rows:
        of = row._mapping  # noqa: SLF001 (SQLAlchemy's public name for it)
        found[row.shard, row.customer_id] = {name: of[f"fact_{name}"] for name in names}
    stale = [key for key, facts in found.items() if facts["stale"] is not False]
    today = local_date(now, desk.settings.business.zone)
    return found | facts_of(connection, desk.book.facts, stale, now, today)


def _traffic(connection: Connection, now: datetime) -> dict[tuple[str, str], Traffic]:
    """By customer and channel: marketing that was or may have been sent in the last week, and what is planned."""
    other = messages.alias("other")
    since = now - DAY * (WEEK + 2)  # the customer's local days may begin earlier than ours
    rows = connection.execute(
        select(
            other.c.shard,
            other.c.message_id,
            other.c.customer_id,
            other.c.channel,
            other.c.status,
            other.c.first_used_at,
            other.c.sent_at,
            other.c.finished_at,
            other.c.idempotency_key,
            other.c.priority,
            other.c.due_at,
        )
        .distinct()
        .select_from(
            asked.join(messages, _is_asked(messages)).join(
                other, and_(same_customer(other, messages), other.c.channel == messages.c.channel)
            )
        )
        .where(
            other.c.kind == "marketing",
            other.c.again_of.is_(None),  # what a person asked for is on top of what we allow ourselves
            or_(
                and_(other.c.status.in_(["sent", "sending", "unknown"]), other.c.first_used_at > since),
                and_(other.c.status == "planned", other.c.due_at < now + DAY * 2),
            ),
        )
    )
    found: dict[tuple[str, str], Traffic] = {}
    for row in rows:
        traffic = found.setdefault((row.customer_id, row.channel), Traffic())
        if row.status == "planned":
            traffic.planned[row.message_id] = (row.priority, row.due_at)
        else:
            traffic.sent[row.message_id] = span_of(row, now)
    return found


def span_of(row: Any, now: datetime) -> Span:
    """When a row that is sent, sending or unknown may have been taken."""
    if row.idempotency_key is None:
        return Span(row.first_used_at, row.first_used_at)
    return Span(row.first_used_at, max(row.first_used_at, row.sent_at or row.finished_at or now))


def _case(
    desk: Desk, row: Row[Any], facts: Mapping[str, Any], traffic: Traffic, pauses: Mapping[str, Any], now: datetime
) -> Case:
    playbook = desk.book.playbooks.get(row.playbook)
    step = next((one for one in playbook.steps if one.key == row.step), None) if playbook else None
    day = desk.day(now)
    goal_met = row.goal_at is not None or row.goal_now is not None
    is_copy = row.again_of is not None
    return Case(
        message_id=row.message_id,
        customer_id=row.customer_id,
        playbook=row.playbook,
        at=max(now, row.due_at),
        due_at=row.due_at,
        deadline=row.deadline,
        priority=row.priority,
        is_marketing=row.kind == "marketing",
        zones=desk.zones(row.timezone, row.country, row.phone),
        limits=desk.limits(row.channel, home_of(row.country, row.phone), now),
        traffic=traffic,
        erased=row.erased_at is not None,
        address=row.to_address,
        suppressed=bool(row.suppressed),
        consented=row.consented,
        arm=row.arm,
        ended=gone(desk, playbook, now) if is_copy else ended_by(desk, playbook, row.exit_reason, goal_met, facts, now),
        step_holds=step is None or step.when is None or step.when.holds(facts, day),
        offer_expires=row.expires_at,
        pauses=pauses,
        is_copy=is_copy,
    )


def gone(desk: Desk, playbook: Playbook | None, now: datetime) -> Reason | None:
    """Why nobody gets anything of the playbook any more."""
    if playbook is None:
        return Reason.PLAYBOOK_REMOVED
    return Reason.PLAYBOOK_ENDED if playbook.has_ended(local_date(now, desk.day(now).zone)) else None


def ended_by(
    desk: Desk,
    playbook: Playbook | None,
    exit_reason: str | None,
    goal_met: bool,
    facts: Mapping[str, Any],
    now: datetime,
) -> Reason | None:
    """Why the customer is no longer in the playbook, judged by the facts of this moment."""
    day = desk.day(now)
    if exit_reason is not None:
        return Reason.of(exit_reason)
    if playbook is None:
        return Reason.PLAYBOOK_REMOVED
    if goal_met:
        return Reason.GOAL_MET
    if playbook.has_ended(local_date(now, day.zone)):
        return Reason.PLAYBOOK_ENDED
    if playbook.exit_when is not None and playbook.exit_when.holds(facts, day):
        return Reason.EXIT_RULE
    # After a switch to another lifecycle the stage is still one of the old: the next daily run finds theirs.
    known = facts["stage"] in desk.book.lifecycle.keys
    left = playbook.model.stay_while_in_stage and known and facts["stage"] not in playbook.stages
    return Reason.LEFT_STAGE if left else None
