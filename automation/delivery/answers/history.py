"""What a row of the send log is, and which rows a filter is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, func, select, tuple_, union

from automation.customers.facts.compute import same_customer
from automation.database.schema import SHARDS, customers, messages, outcomes, playbook_versions, shard_of
from automation.delivery.answers.alike import ALIKE

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
    "again_of",
)


class Meant(NamedTuple):
    """Messages that somebody looks for: by their own ids or the provider's, or by who got them."""

    message_ids: tuple[int, ...] = ()
    provider_ids: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True)
class LogFilter:
    """Which messages. `since` and `until` are about when they were planned, both included.

    Everything is found through an index, however long the log is.
    """

    customer_id: str | None = None
    playbook: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    step: str | None = None
    channel: str | None = None
    reason: str | None = None
    meant: Meant | None = None

    @property
    def alike(self) -> dict[str, str]:
        """What all the rows have in common."""
        return {name: value for name in ALIKE if (value := getattr(self, name)) is not None}

    @property
    def is_about_few(self) -> bool:
        """Whether it names messages or customers: those are looked up one by one."""
        return self.customer_id is not None or self.meant is not None


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
        messages.c.again_of,
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


def named(wanted: LogFilter) -> Iterator[ColumnElement[bool]]:
    """The customer or the messages that a filter names."""
    if wanted.customer_id is not None:
        yield of_customer(wanted.customer_id)
    if wanted.meant is not None:
        yield _among(wanted.meant)


def alike(wanted: LogFilter, of: FromClause) -> Iterator[ColumnElement[bool]]:
    """What the rows of a filter have in common."""
    return (of.c[name] == value for name, value in wanted.alike.items())


def within(wanted: LogFilter, of: FromClause) -> Iterator[ColumnElement[bool]]:
    if wanted.since is not None:
        yield of.c.planned_at >= wanted.since
    if wanted.until is not None:
        yield of.c.planned_at <= wanted.until


def of_customer(customer_id: str) -> ColumnElement[bool]:
    """The messages of one customer.

    Their ids are looked up in the index alone: asked for whole rows, SQLite without statistics reads the shard instead.
    """
    own, shard = messages.alias("own"), shard_of(customer_id)
    ids = select(own.c.message_id).where(own.c.shard == shard, own.c.customer_id == customer_id)
    return and_(messages.c.shard == shard, messages.c.message_id.in_(ids))


def _among(meant: Meant) -> ColumnElement[bool]:
    """Each through its own index; together, because a number may be a customer's id and a message's."""
    found = messages.alias("found")
    shards = [one % SHARDS for one in meant.message_ids]
    conditions = [and_(found.c.message_id.in_(meant.message_ids), found.c.shard.in_(shards))]
    conditions.append(found.c.provider_id.in_(meant.provider_ids))
    conditions.append(found.c.address.in_(meant.addresses))
    conditions += [and_(found.c.shard == shard_of(one), found.c.customer_id == one) for one in meant.customers]
    keys = union(*(select(found.c.shard, found.c.message_id).where(one) for one in conditions)).subquery("keys")
    return tuple_(messages.c.shard, messages.c.message_id).in_(select(keys.c.shard, keys.c.message_id))


def playbooks_in_log(connection: Connection) -> set[str]:
    """Keys of all playbooks there ever were."""
    return set(connection.execute(select(playbook_versions.c.playbook).distinct()).scalars())
