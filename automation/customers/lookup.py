"""One customer's own rows, for whoever asks about one person: profile, consents and suppressions, as of an instant."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, or_, select

from automation.customers.consent import EVERY_TOPIC, IMPORT
from automation.customers.content import check_line
from automation.database.schema import consents, customers, lifted_suppressions, shard_of, suppressions
from automation.errors import UnknownCustomer


def find_customer(connection: Connection, customer_id: str) -> Row[Any]:
    """Every column of the customer's row. Raises UnknownCustomer."""
    try:
        check_line(customer_id)
    except ValueError:
        raise UnknownCustomer from None
    found = select(customers).where(customers.c.shard == shard_of(customer_id), customers.c.customer_id == customer_id)
    row = connection.execute(found).one_or_none()
    if row is None:
        raise UnknownCustomer(f'no customer has the id "{customer_id}"; `automation log` shows ids')
    return row


def consents_of(connection: Connection, customer: Row[Any], now: datetime) -> Sequence[Row[Any]]:
    """What was on record by then, the oldest first."""
    return [row for row in all_consents_of(connection, customer) if stood(row, now)]


def all_consents_of(connection: Connection, customer: Row[Any]) -> Sequence[Row[Any]]:
    """Everything on record, the oldest first: what sending goes by, whatever the clocks of those who wrote it said."""
    mine = and_(consents.c.shard == customer.shard, consents.c.customer_id == customer.customer_id)
    return connection.execute(select(consents).where(mine).order_by(consents.c.number)).all()


def stood(record: Row[Any], moment: datetime) -> bool:
    """Whether a record counts as of a moment. When an imported consent was given nobody told us: it always counts."""
    return bool(record.recorded_at <= moment or (record.granted and record.actor == IMPORT))


def deciding(recorded: Iterable[Row[Any]], channel: str, topic: str) -> Row[Any] | None:
    """The newest record on the topic or on every topic of the channel."""
    about = [row for row in recorded if row.channel == channel and row.topic in {topic, EVERY_TOPIC}]
    return about[-1] if about else None


def agreed_to_some(recorded: Iterable[Row[Any]], channel: str) -> bool:
    """Whether consent to any topic of the channel stands."""
    standing: set[str] = set()
    for row in recorded:
        if row.channel != channel:
            continue
        if row.granted:
            standing.add(row.topic)
        elif row.topic == EVERY_TOPIC:
            standing.clear()
        else:
            standing.discard(row.topic)
    return bool(standing)


def suppressions_of(connection: Connection, customer: Row[Any], now: datetime) -> Sequence[Row[Any]]:
    """Those of the customer's addresses that must not be written to, as known by then."""
    of = suppressions
    rows = select(of).where(_theirs(of, customer), of.c.recorded_at <= now).order_by(of.c.channel)
    return connection.execute(rows).all()


def lifted_of(connection: Connection, customer: Row[Any]) -> Sequence[Row[Any]]:
    """Those that must not be written to once, and when that was over."""
    of = lifted_suppressions
    return connection.execute(select(of).where(_theirs(of, customer)).order_by(of.c.number)).all()


def _theirs(table: Table, customer: Row[Any]) -> ColumnElement[bool]:
    return or_(
        and_(table.c.channel == "email", table.c.address == customer.email),
        and_(table.c.channel == "sms", table.c.address == customer.phone),
    )
