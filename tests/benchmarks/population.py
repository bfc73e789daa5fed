"""A made-up shop: its customers and eighteen months of what they did, straight into the tables, always the same."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Table, text

from automation.customers.records import Event
from automation.database.engine import Database
from automation.database.schema import SHARDS, consents, customers, events, shard_of
from automation.database.types import EPOCH

DAY = 86_400
MONTHS_18 = 540
OTHER_EVENTS = (3, 12)
NAMES = ("Page Viewed",) * 9 + ("Product Viewed",) * 4 + ("Login",) * 3 + ("Email Opened",) * 3 + ("Wishlist Updated",)
COUNTRIES, LOCALES = ("IT", "IT", "IT", "PL", "GB", "DE"), ("it", "it", "en", "pl", "en", None)
ORDERS = tuple(f'{{"channel": "web", "revenue": {cents / 100:.2f}}}' for cents in range(990, 19_990, 95))
PAGES = tuple(f'{{"path": "/p/{number}"}}' for number in range(200))
ANSWERS = ('{"nps": 9}', '{"nps": 10}')


@dataclass(frozen=True)
class Kind:
    """Customers who stand in one stage: their share, and days ago, from and to, of sign-up and of the last order."""

    stage: str
    share: float
    signed_up: tuple[int, int]
    orders: tuple[int, int] = (0, 0)
    last_order: tuple[int, int] = (0, 0)
    quiet_days: int = 0
    had_trial: float = 0.0


KINDS = (
    Kind("aware", 0.22, (61, MONTHS_18), quiet_days=31, had_trial=0.85),
    Kind("evaluating", 0.10, (3, 59), had_trial=0.7),
    Kind("buying", 0.02, (20, MONTHS_18), (1, 1), (0, 13)),
    Kind("using", 0.15, (150, MONTHS_18), (1, 1), (16, 118)),
    Kind("retained", 0.14, (200, MONTHS_18), (2, 3), (1, 118)),
    Kind("loyal", 0.08, (250, MONTHS_18), (4, 12), (1, 118)),
    Kind("advocate", 0.05, (200, MONTHS_18), (1, 8), (1, 118)),
    Kind("leaving", 0.24, (200, MONTHS_18), (1, 5), (122, 480)),
)
Row = tuple[Any, ...]
Happened = tuple[str, int, str]  # name, seconds ago, properties


def populate(database: Database, count: int, now: datetime) -> int:
    """Fill an empty database with customers, consents and events up to `now`. Returns how many events there are."""
    by_shard: list[list[str]] = [[] for _ in range(SHARDS)]
    for number in range(count):
        customer_id = f"c{number:08}"
        by_shard[shard_of(customer_id)].append(customer_id)
    total = sum(_populate(database, shard, ids, now) for shard, ids in enumerate(by_shard))
    if not database.is_sqlite:  # what autovacuum would have done by now
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    return total


def _populate(database: Database, shard: int, ids: Sequence[str], now: datetime) -> int:
    draw = random.Random(shard)  # noqa: S311 (made-up people, no secret)
    people: list[Row] = []
    granted: list[Row] = []
    done: list[Row] = []
    for customer_id in ids:
        kind = draw.choices(KINDS, [one.share for one in KINDS])[0]
        signed_up = _ago(draw, *kind.signed_up)
        happened = list(_happened(draw, kind, signed_up))
        at = now - timedelta(seconds=signed_up)
        people.append(_customer(draw, shard, customer_id, at, happened, now))
        granted += _consents(draw, shard, customer_id, at)
        done += [
            (shard, customer_id, f"{customer_id}-{number:03}", name, now - timedelta(seconds=ago), properties)
            for number, (name, ago, properties) in enumerate(happened)
        ]
    with database.writing() as connection:
        for table, rows in ((customers, people), (consents, granted), (events, done)):
            write(connection, table, rows)
    return len(done)


def _happened(draw: random.Random, kind: Kind, signed_up: int) -> Iterator[Happened]:
    yield "Signed Up", signed_up, "{}"
    orders = draw.randint(*kind.orders)
    if orders:
        last = min(_ago(draw, *kind.last_order), signed_up - DAY)
        for number in range(orders):
            yield "Order Completed", last if not number else draw.randint(last, signed_up), draw.choice(ORDERS)
    if draw.random() < kind.had_trial:
        yield "Trial Started", draw.randint(min(kind.quiet_days * DAY, signed_up), signed_up), "{}"
    if kind.stage == "advocate":
        yield from [("Referral Made", last, "{}")] * draw.randint(0, 1)
        yield "Survey Answered", last, draw.choice(ANSWERS)
    quiet = kind.quiet_days * DAY
    if draw.random() < 0.2:
        yield "Cart Updated", draw.randint(quiet, signed_up), "{}"
    for _ in range(draw.randint(*OTHER_EVENTS)):
        yield NAMES[int(draw.random() * len(NAMES))], draw.randint(quiet, signed_up), PAGES[int(draw.random() * 200)]


def _ago(draw: random.Random, first: int, last: int) -> int:
    return draw.randint(first * DAY, last * DAY)


def _customer(
    draw: random.Random, shard: int, customer_id: str, signup_at: datetime, happened: list[Happened], now: datetime
) -> Row:
    place = int(draw.random() * len(COUNTRIES))
    phone = f"+3933{int(customer_id[1:]):08}" if draw.random() < 0.5 else None
    running = [ago for name, ago, _ in happened if name == "Trial Started" and ago < 14 * DAY]
    ends = f', "trial_ends": "{now + timedelta(days=14, seconds=-running[0]):%Y-%m-%d}"' if running else ""
    attributes = f'{{"first_name": "Anna", "points": {int(draw.random() * 1000)}{ends}}}'
    address = f"{customer_id}@example.com"
    return (shard, customer_id, address, phone, LOCALES[place], None, COUNTRIES[place], signup_at, attributes, None)


def _consents(draw: random.Random, shard: int, customer_id: str, at: datetime) -> Iterator[Row]:
    for number, (channel, share) in enumerate((("email", 0.85), ("sms", 0.4)), start=1):
        if draw.random() < share:
            yield (shard, customer_id, number, channel, "*", True, "consent", None, "sign-up form", "customer", at)


def events_between(count: int, share: float, since: datetime, until: datetime) -> list[Event]:
    """What a share of the customers did in between, as the import reads it: in no order."""
    draw = random.Random(until.isoformat())  # noqa: S311 (made-up people, no secret)
    length = int((until - since).total_seconds())
    names = ("Page Viewed",) * 12 + ("Product Viewed",) * 3 + ("Order Completed",) * 3 + ("Cart Updated", "Login")
    found = []
    for number in draw.sample(range(count), int(count * share)):
        name = draw.choice(names)
        told = draw.choice(ORDERS if name == "Order Completed" else PAGES)
        time = since + timedelta(seconds=draw.randint(1, length - 1))
        found.append(Event(f"c{number:08}-{until:%m%d}", f"c{number:08}", name, time, told))
    return found


def write(connection: Any, table: Table, rows: Sequence[Row]) -> None:
    """COPY, or one prepared statement with instants as SQLite keeps them."""
    if not rows:
        return
    names = ", ".join(table.columns.keys())
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    places = [place for place, value in enumerate(rows[0]) if isinstance(value, datetime)]
    kept = []
    for row in rows:
        values = list(row)
        for place in places:
            values[place] = (values[place] - EPOCH) // timedelta(microseconds=1)
        kept.append(values)
    marks = ", ".join("?" * len(table.columns))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", [tuple(one) for one in kept])
