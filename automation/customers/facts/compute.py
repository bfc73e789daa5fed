"""A definition becomes SQL: one pass over a range of shards gives all facts of its customers, as of an instant."""

from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
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
    case,
    collate,
    distinct,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
)
from sqlalchemy.types import TypeEngine

from automation.customers.facts.definition import Fact, FactDefinitions
from automation.customers.facts.json_values import SEPARATOR, PostgresValues, SqliteValues, json_values
from automation.database.schema import Shards, consents, customers, events, stage_changes, suppressions
from automation.database.types import Instant, Key, Number

Values = SqliteValues | PostgresValues
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
    definitions: FactDefinitions, dialect: str, now: datetime, shards: Shards, only: FromClause | None = None
) -> Select[Any]:
    """Every column of the facts table, except the stage, for the customers of the shards (and of `only`)."""
    values = json_values(dialect)
    counted = _of_events(definitions, values, now, shards, only)
    source = customers if only is None else only.join(customers, same_customer(customers, only))
    if counted is not None:
        source = source.outerjoin(counted, same_customer(customers, counted))
    columns = [
        customers.c.shard,
        customers.c.customer_id,
        false().label("stale"),
        customers.c.signup_at.label("signed_up"),
        customers.c.locale,
        customers.c.country,
        _can("email", customers.c.email).label("can_email"),
        _can("sms", customers.c.phone).label("can_sms"),
        *(_column(fact, values, counted).label(fact.name) for fact in definitions.facts),
    ]
    rows = select(*columns).select_from(source)
    return rows.where(shards.of(customers)) if only is None else rows


def windowed_as_of(definitions: FactDefinitions, dialect: str, now: datetime, only: FromClause) -> Select[Any]:
    """The facts with a `within` alone, for the customers of `only`; there must be such facts."""
    values = json_values(dialect)
    counted = _of_events(definitions.windowed, values, now, Shards(), only)
    assert counted is not None  # noqa: S101 (only a fact of events has a window)
    columns = (_column(fact, values, counted).label(fact.name) for fact in definitions.windowed.facts)
    source = only.outerjoin(counted, same_customer(only, counted))
    return select(only.c.shard, only.c.customer_id, *columns).select_from(source)


def last_stage(column: str, day: Any) -> ColumnElement[Any]:
    """`to_stage` or `changed_at` of the customer's newest stage change up to a local date."""
    return (
        select(stage_changes.c[column])
        .where(same_customer(stage_changes, customers), stage_changes.c.day <= day)
        .order_by(stage_changes.c.day.desc())
        .limit(1)
        .correlate(customers)
        .scalar_subquery()
    )


def _column(fact: Fact, values: Values, counted: Subquery | None) -> ColumnElement[Any]:
    if fact.attribute is not None:
        return values.value(customers.c.attributes, fact.attribute, fact.type)
    assert counted is not None  # noqa: S101 (a fact of an event means there is the pass over events)
    column = counted.c[fact.name]
    if fact.is_packed:
        return _unpacked(fact, values, column)
    return func.coalesce(column, 0) if fact.measure in {"count", "sum", "distinct"} else column


def _of_events(
    definitions: FactDefinitions, values: Values, now: datetime, shards: Shards, only: FromClause | None
) -> Subquery | None:
    facts = definitions.of_events
    if not facts:
        return None
    names = sorted({name for fact in facts for name in fact.events})
    # `only` names customers of these shards: a second bound would make SQLite read all of them.
    source = events if only is None else only.join(events, same_customer(events, only))
    among = [shards.of(events)] if only is None else []
    return (
        select(
            events.c.shard, events.c.customer_id, *(_aggregate(fact, values, now).label(fact.name) for fact in facts)
        )
        .select_from(source)
        .where(*among, events.c.name.in_(names), events.c.time <= now)
        .group_by(events.c.shard, events.c.customer_id)
        .subquery("counted")
    )


def _aggregate(fact: Fact, values: Values, now: datetime) -> ColumnElement[Any]:
    found = _measured(fact, values).filter(_such_events(fact, values, now))
    return values.rounded(found) if fact.measure == "sum" else found


def _measured(fact: Fact, values: Values) -> Any:
    if fact.measure == "count":
        return func.count()
    if fact.key == "time":
        return (func.min if fact.measure in {"first", "min"} else func.max)(events.c.time)
    if fact.measure == "distinct":
        return func.count(distinct(values.as_text(events.c.properties, fact.key, "text")))
    if fact.measure in {"sum", "min", "max"}:
        return getattr(func, fact.measure)(values.value(events.c.properties, fact.key, fact.type))
    return (func.min if fact.measure == "first" else func.max)(_packed(fact, values))


def _packed(fact: Fact, values: Values) -> ColumnElement[Any]:
    """Time, id and value in one text, so that the value of the newest event is a plain max().

    It is taken apart outside the pass over events: written there, each mention of it would be one more aggregate.
    """
    written = values.as_text(events.c.properties, fact.key, fact.type)
    value = func.coalesce(literal("v") + written, "")
    return collate(values.sortable(events.c.time) + events.c.event_id + literal(SEPARATOR) + value, _byte_order(values))


def _unpacked(fact: Fact, values: Values, packed: ColumnElement[Any]) -> ColumnElement[Any]:
    place = func.strpos if isinstance(values, PostgresValues) else func.instr
    value = func.substr(packed, place(packed, SEPARATOR) + 1, type_=Key)
    return values.from_text(case((value != "", func.substr(value, 2, type_=Key))), fact.type)


def _byte_order(values: Values) -> str:
    return "C" if isinstance(values, PostgresValues) else "BINARY"


def _such_events(fact: Fact, values: Values, now: datetime) -> ColumnElement[bool]:
    rules: list[ColumnElement[bool]] = [events.c.name.in_(fact.events)]
    if fact.within is not None:
        rules.append(events.c.time > now - fact.within)
    for key, wanted in (fact.model.where or {}).items():
        any_of = wanted if isinstance(wanted, tuple) else (wanted,)
        rules.append(or_(*(_equals(values, key, one) for one in any_of)))
    return and_(*rules)


def _equals(values: Values, key: str, wanted: bool | float | str) -> ColumnElement[bool]:
    if isinstance(wanted, bool):
        written = "true" if wanted else "false"
        return values.as_text(events.c.properties, key, "boolean") == written
    if isinstance(wanted, str):
        return values.as_text(events.c.properties, key, "text") == wanted
    return values.value(events.c.properties, key, "number") == wanted


def _can(channel: str, address: ColumnElement[Any]) -> ColumnElement[bool]:
    """There is an address, it is not suppressed, and some consent of the channel stands."""
    later, given = consents.alias("later"), consents.alias("given")
    withdrawn = exists().where(
        same_customer(later, given),
        later.c.channel == channel,
        later.c.topic.in_(["*", given.c.topic]),
        later.c.number > given.c.number,
        later.c.granted.is_(False),
    )
    consented = exists().where(
        same_customer(given, customers), given.c.channel == channel, given.c.granted.is_(True), not_(withdrawn)
    )
    suppressed = exists().where(suppressions.c.channel == channel, suppressions.c.address == address)
    return and_(address.is_not(None), not_(suppressed), consented)


def same_customer(one: FromClause, other: FromClause) -> ColumnElement[bool]:
    return and_(one.c.shard == other.c.shard, one.c.customer_id == other.c.customer_id)
