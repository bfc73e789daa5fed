"""What is planned for the steps whose turn it is: worked out once for each step and residence, joined in SQL."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from babel.core import get_global
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    SmallInteger,
    Text,
    and_,
    case,
    func,
    insert,
    select,
)

from automation.customers.facts.compute import same_customer
from automation.customers.profile import home_of
from automation.database.schema import customers
from automation.database.temporary import counted, empty, temporary
from automation.database.types import Instant, Key
from automation.delivery.desk import Desk
from automation.delivery.planning.due import due_at
from automation.playbooks.turns import turns

timetable = temporary(
    "timetable",
    Column("playbook", Key, primary_key=True),
    Column("step", SmallInteger, primary_key=True, autoincrement=False),
    Column("timezone", Text, primary_key=True),
    Column("country", Text, primary_key=True),
    Column("phone", Text, primary_key=True),
    Column("version_id", Key, nullable=False),
    Column("step_key", Key, nullable=False),
    Column("channel", Key, nullable=False),
    Column("kind", Key, nullable=False),
    Column("topic", Key, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    expected="100 10 5 3 2 1",
)


def fill_timetable(connection: Connection, desk: Desk, now: datetime) -> datetime | None:
    """A row for each step that has its turn `now`, and for each place where its customers live.

    Returns when the first is due; None when no step has its turn.
    """
    empty(connection, timetable)
    keys = select(turns.c.playbook, turns.c.step, *residence()).distinct()
    found = connection.execute(keys.join_from(turns, customers, same_customer(customers, turns)))
    if rows := [_row(desk, now, *key) for key in found]:
        connection.execute(insert(timetable), rows)
    counted(connection, timetable)
    return min((row["due_at"] for row in rows), default=None)


def residence() -> Iterator[ColumnElement[Any]]:
    """What tells where a customer may live, '' where it is not known; a number counts when nothing else is."""
    nowhere = and_(customers.c.timezone.is_(None), customers.c.country.is_(None))
    yield func.coalesce(customers.c.timezone, "").label("timezone")
    yield func.coalesce(customers.c.country, "").label("country")
    yield case((nowhere, func.coalesce(customers.c.phone, "")), else_="").label("phone")


def has_its_turn(rows: FromClause) -> ColumnElement[bool]:
    """Joins rows of `turns` and their customers with the timetable."""
    places = zip(("timezone", "country", "phone"), residence(), strict=True)
    same_place = (timetable.c[name] == column for name, column in places)
    return and_(timetable.c.playbook == rows.c.playbook, timetable.c.step == rows.c.step, *same_place)


def home_for_days(timezone: str | None, country: str | None, phone: str | None) -> str | None:
    """The country whose hours decide when a message is due. A number would be a row of its own for each customer: where
    only the zone is known, it says the country.
    """
    return home_of(country, None if timezone else phone) or get_global("zone_territories").get(timezone or "")


def _row(desk: Desk, now: datetime, key: str, index: int, timezone: str, country: str, phone: str) -> dict[str, Any]:
    playbook = desk.book.playbooks[key]
    step = playbook.steps[index]
    zones = desk.zones(timezone or None, country or None, phone or None)
    due = due_at(desk, playbook, step, now, zones, home_for_days(timezone, country, phone))
    return {
        "playbook": key,
        "step": index,
        "timezone": timezone,
        "country": country,
        "phone": phone,
        "version_id": desk.versions[key],
        "step_key": step.key,
        "channel": step.model.channel,
        "kind": playbook.model.kind,
        "topic": playbook.model.topic,
        "priority": playbook.model.priority,
        "due_at": due,
        "deadline": due + step.model.late_by,
    }
