"""A definition becomes SQL: one pass over a range of shards gives all facts of its customers, as of an instant."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    SmallInteger,
    Subquery,
    Table,
    and_,
    exists,
    false,
    not_,
    select,
)
from sqlalchemy.types import TypeEngine

from automation.customers.facts.aggregates import Told, aggregate, finished
from automation.customers.facts.definition import Fact, FactDefinitions
from automation.customers.facts.json_values import Values, json_values
from automation.database.schema import Shards, consents, customers, events, stage_changes, suppressions
from automation.database.types import Instant, Key, Number

COLUMN_TYPES: dict[str, type[TypeEngine[Any]] | TypeEngine[Any]] = {
    "text": Key,
    "number": Number,
    "boolean": Boolean,
    "instant": Instant,
}


@lru_cache(maxsize=64)
def facts_table(definitions: FactDefinitions, name: str = "facts") -> Table:
    """The narrow table that holds everything a condition can name."""
    return Table(
        name,
        MetaData(),
        Column("shard", SmallInteger, nullable=False),
        Column("customer_id", Key, nullable=False),
        Column("stale", Boolean, nullable=False),
        Column("stage", Key),
        Column("stage_since", Instant),
        Column("signed_up", Instant),
        Column("locale", Key),
        Column("country", Key),
        Column("can_email", Boolean),
        Column("can_sms", Boolean),
        *(Column(fact.name, COLUMN_TYPES[fact.type]) for fact in definitions.facts),
        PrimaryKeyConstraint("shard", "customer_id"),
        sqlite_with_rowid=False,
    )


def facts_as_of(
    definitions: FactDefinitions, dialect: str, now: datetime | Told, shards: Shards, only: FromClause | None = None
) -> Select[Any]:
    """Every column of the facts table, except the stage, for the customers of the shards (and of `only`)."""
    values = json_values(dialect)
    if only is None and dialect == "sqlite":
        only = _each(shards)
    counted = _counted(definitions, values, now, shards, only)
    columns = (_column(fact, values, counted).label(fact.name) for fact in definitions.facts)
    rows = select(
        customers.c.shard,
        customers.c.customer_id,
        false().label("stale"),
        customers.c.signup_at.label("signed_up"),
        customers.c.locale,
        customers.c.country,
        _can("email", customers.c.email, shards).label("can_email"),
        _can("sms", customers.c.phone, shards).label("can_sms"),
        *columns,
    )
    if only is None:
        return rows.select_from(customers.outerjoin(counted, same_customer(customers, counted))).where(
            shards.of(customers)
        )
    return rows.select_from(counted.join(customers, same_customer(customers, counted)))


def windowed_as_of(definitions: FactDefinitions, dialect: str, now: datetime, only: FromClause) -> Select[Any]:
    """The facts with a `within` alone, for the customers of `only`."""
    values, windowed = json_values(dialect), definitions.windowed
    counted = _counted(windowed, values, now, Shards(), only)
    columns = (_column(fact, values, counted).label(fact.name) for fact in windowed.facts)
    return select(counted.c.shard, counted.c.customer_id, *columns)


def with_stage(rows: Select[Any], today: date | BindParameter[date]) -> Select[Any]:
    """The same facts, with the stage that history gives each customer on that date."""
    found = rows.subquery("found")
    changes = {"stage": stage_changes.c.to_stage, "stage_since": stage_changes.c.changed_at}
    return select(found, *(_last(column, found, today).label(name) for name, column in changes.items()))


def _each(shards: Shards) -> Subquery:
    """Everybody in the shards. SQLite reads their events beside them; it would copy the groups to join them later."""
    return select(customers.c.shard, customers.c.customer_id).where(shards.of(customers)).subquery("each")


def _counted(
    definitions: FactDefinitions, values: Values, now: datetime | Told, shards: Shards, only: FromClause | None
) -> Subquery:
    """One row a customer with what their events amount to: of everybody in `only`, or of all who have any.

    It names the customers itself and is joined to one table: beside a third, PostgreSQL takes few rows for one row, and
    groups the events of all anew for each of them.
    """
    names = sorted({name for fact in definitions.of_events for name in fact.events})
    counts = and_(events.c.name.in_(names), events.c.time <= now)
    measured = [aggregate(fact, values, now).label(fact.name) for fact in definitions.of_events]
    key = events if only is None else only
    rows = select(key.c.shard, key.c.customer_id, *measured).group_by(key.c.shard, key.c.customer_id)
    if only is None:
        return rows.where(shards.of(events), counts).subquery("counted")
    # `only` names customers of these shards: a second bound would make SQLite read all of them.
    return rows.select_from(only.outerjoin(events, and_(same_customer(events, only), counts))).subquery("counted")


def _column(fact: Fact, values: Values, counted: Subquery) -> ColumnElement[Any]:
    if fact.attribute is not None:
        return values.value(customers.c.attributes, fact.attribute, fact.type)
    return finished(fact, values, counted.c[fact.name])


def _last(column: ColumnElement[Any], customer: FromClause, today: date | BindParameter[date]) -> ColumnElement[Any]:
    """That column of the customer's newest stage change up to a local date."""
    return (
        select(column)
        .where(same_customer(stage_changes, customer), stage_changes.c.day <= today)
        .order_by(stage_changes.c.day.desc())
        .limit(1)
        .scalar_subquery()
    )


def _can(channel: str, address: ColumnElement[Any], shards: Shards) -> ColumnElement[bool]:
    """There is an address, it is not suppressed, and some consent of the channel stands.

    The shards are told once more: PostgreSQL reads the consents of all of them in one go, and would read everybody's.
    """
    later, given = consents.alias("later"), consents.alias("given")
    withdrawn = exists().where(
        shards.of(later),
        same_customer(later, given),
        later.c.channel == channel,
        later.c.topic.in_(["*", given.c.topic]),
        later.c.number > given.c.number,
        later.c.granted.is_(False),
    )
    consented = exists().where(
        shards.of(given),
        same_customer(given, customers),
        given.c.channel == channel,
        given.c.granted.is_(True),
        not_(withdrawn),
    )
    suppressed = exists().where(suppressions.c.channel == channel, suppressions.c.address == address)
    return and_(address.is_not(None), not_(suppressed), consented)


def same_customer(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.shard == other.c.shard, one.c.customer_id == other.c.customer_id)
