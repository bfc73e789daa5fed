"""A shop's rows changed so that they tell of a broken promise, and what the checker says of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from shop import Shop, at
from sqlalchemy import (
    ColumnElement,
    Connection,
    insert,
    literal,
    select,
    update,
)

from automation.database.audit import note
from automation.database.engine import Database
from automation.database.schema import (
    attempts,
    messages,
    outcomes,
    shard_of,
)
from automation.delivery.health.by_hand import RESOLVE, Verdict
from automation.delivery.verify import Report, verify
from automation.settings import Settings

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
DAY2, NOON2 = "2026-03-03T05:00:00Z", "2026-03-03T11:00:00Z"
BEFORE_NOON2 = at("2026-03-03T10:00:00Z")
OFFER = '[offer]\ngenerate = "WB-########"\nvalid_for = "9 days"\n'
KEYED = {"idempotency_key": "k", "request_hash": "h"}
Told = set[tuple[str, str]]


@dataclass(frozen=True)
class Within(Database):
    """The database as one transaction sees it, which is taken back afterwards."""

    connection: Connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        yield self.connection


Check = Callable[..., Told]


def checked(shop: Shop, settings: Settings, *changes: Any, **options: Any) -> Report:
    with shop.database.engine.connect() as connection:
        transaction = connection.begin()
        for change in changes:
            if callable(change):
                change(connection)
            else:
                connection.execute(change)
        try:
            return verify(Within(shop.database.engine, connection), settings, **options)
        finally:
            transaction.rollback()


def of(customer: str, name: str) -> ColumnElement[bool]:
    """The message of a customer and a step."""
    return (messages.c.customer_id == customer) & (messages.c.step == name)


def row(customer: str = "ada", name: str = "two", **values: Any) -> Any:
    return update(messages).where(of(customer, name)).values(**values)


def attempt(customer: str = "ada", name: str = "two", **values: Any) -> Any:
    ids = select(messages.c.message_id).where(of(customer, name))
    return update(attempts).where(attempts.c.message_id.in_(ids)).values(**values)


def another_attempt(number: int = 2) -> Any:
    """The first attempt once more, with another number."""
    ids = select(messages.c.message_id).where(of("ada", "two"))
    columns = [literal(number) if one.name == "number" else one for one in attempts.c]
    copied = select(*columns).where(attempts.c.message_id.in_(ids), attempts.c.number == 1)
    return insert(attempts).from_select([one.name for one in attempts.c], copied)


def mine(name: str = "two") -> Any:
    return select(messages.c.message_id).where(of("ada", name)).scalar_subquery()


def evidence(verdict: Verdict, name: str = "two") -> Callable[[Connection], None]:
    """What a person or a look-up writes down."""

    def written(connection: Connection) -> None:
        number = connection.execute(select(messages.c.message_id).where(of("ada", name))).scalar_one()
        note(connection, "look-up", RESOLVE[verdict], f"message:{number}", "", at(NOON2))

    return written


def delivered() -> Any:
    happened = {"shard": shard_of("ada"), "message_id": mine(), "provider": "p", "event_key": "k"}
    return insert(outcomes).values(
        {**happened, "outcome": "delivered", "happened_at": at(NOON2), "received_at": at(NOON2)}
    )
