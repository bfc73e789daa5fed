"""The send log: rows by filter, read as a stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select

from automation.customers.facts.compute import same_customer
from automation.database.schema import customers, messages, outcomes, playbook_versions, shard_of

PAGE = 1000  # rows in memory at once, however long the log is
# The last that a message can come to hides what came before it: a bounce, a complaint and an unsubscribe absorb.
STRENGTH = (
    "bounced_soft",
    "delivered",
    "opened",
    "clicked",
    "failed",
    "bounced_hard",
    "unsubscribed",
    "complained",
)
LOG_KEYS = (
    "message_id",
    "customer_id",
    "playbook",
    "step",
    "channel",
    "status",
    "reason",
    "to",
    "provider",
    "provider_id",
    "attempts",
    "planned_at",
    "due_at",
    "sent_at",
    "outcome",
    "outcome_at",
)


@dataclass(frozen=True)
class LogFilter:
    """Which messages. `since` and `until` are about when they were planned, both included.

    A customer's messages and a span of time are found through an index; playbook and status are looked for along it,
    so on a long log name one of the others too.
    """

    customer_id: str | None = None
    playbook: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


def log_rows(connection: Connection, wanted: LogFilter) -> Iterator[dict[str, Any]]:
    """The newest first, each with LOG_KEYS; however many there are, a page is in memory at a time."""
    rows = logged().where(*_matching(wanted)).order_by(*_newest_first(wanted)).limit(wanted.limit)
    for row in connection.execute(rows, execution_options={"yield_per": PAGE}).mappings():
        yield dict(row)


def logged() -> Select[Any]:
    """The rows of the log, with LOG_KEYS."""
    own = ("message_id", "customer_id", "playbook", "step", "channel", "status", "reason")
    later = ("provider", "provider_id", "attempts", "planned_at", "due_at", "sent_at")
    current = case((messages.c.channel == "email", customers.c.email), else_=customers.c.phone)
    return select(
        *messages.c[*own],
        func.coalesce(messages.c.address, current).label("to"),
        *messages.c[*later],
        _strongest(outcomes.c.outcome).label("outcome"),
        _strongest(outcomes.c.happened_at).label("outcome_at"),
    ).outerjoin_from(messages, customers, same_customer(customers, messages))


def _strongest(column: ColumnElement[Any]) -> ColumnElement[Any]:
    rank = case({name: index for index, name in enumerate(STRENGTH)}, value=outcomes.c.outcome, else_=-1)
    return (
        select(column)
        .where(outcomes.c.shard == messages.c.shard, outcomes.c.message_id == messages.c.message_id)
        .order_by(rank.desc(), outcomes.c.happened_at.desc(), outcomes.c.event_key)
        .limit(1)
        .correlate(messages)
        .scalar_subquery()
    )


def _matching(wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    if wanted.customer_id is not None:
        yield of_customer(wanted.customer_id)
    if wanted.playbook is not None:
        yield messages.c.playbook == wanted.playbook
    if wanted.status is not None:
        yield messages.c.status == wanted.status
    if wanted.since is not None:
        yield messages.c.planned_at >= wanted.since
    if wanted.until is not None:
        yield messages.c.planned_at <= wanted.until


def of_customer(customer_id: str) -> ColumnElement[bool]:
    """The messages of one customer.

    Their ids are looked up in the index alone: asked for whole rows, SQLite without statistics reads the shard instead.
    """
    own, shard = messages.alias("own"), shard_of(customer_id)
    ids = select(own.c.message_id).where(own.c.shard == shard, own.c.customer_id == customer_id)
    return and_(messages.c.shard == shard, messages.c.message_id.in_(ids))


def _newest_first(wanted: LogFilter) -> tuple[ColumnElement[Any], ...]:
    """The order of the index that the filter goes through: a customer's own, else the one by time."""
    if wanted.customer_id is not None:
        return (messages.c.message_id.desc(),)
    return (messages.c.planned_at.desc(), messages.c.message_id.desc())


def playbooks_in_log(connection: Connection) -> set[str]:
    """Keys of all playbooks there ever were."""
    return set(connection.execute(select(playbook_versions.c.playbook).distinct()).scalars())
