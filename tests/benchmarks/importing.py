"""Importing: rows a second for new customers and new events, and for the same files again."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from measure import Line

from automation.customers.load import import_customers, import_events
from automation.database.engine import Database

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CUSTOMERS, EVENTS = 200_000, 500_000
GOAL = 40_000


def importing(folder: Path, database: Database) -> Iterator[Line]:
    """CSV files with every column of a profile, and orders with two properties."""
    write_customers(folder / "customers.csv", CUSTOMERS)
    write_events(folder / "events.csv", EVENTS, CUSTOMERS)
    where = f"{database.engine.dialect.name}, {CUSTOMERS:,} customers, {EVENTS:,} events, CSV"
    for name, work, count in (("customers", import_customers, CUSTOMERS), ("events", import_events, EVENTS)):
        for title in (f"new {name}", f"the same {name} again"):
            started = time.perf_counter()
            done = work(database, folder / f"{name}.csv", NOW)
            assert (done.read, done.rejected) == (count, 0)
            rate = count / (time.perf_counter() - started)
            ratio = rate / GOAL if title.startswith("new") else None
            goal = 1.0 if ratio is not None else None
            yield Line("import", where, f"{title}; the goal is {GOAL:,} /s", f"{rate:,.0f} /s", ratio, goal, more=True)


def write_customers(path: Path, count: int) -> None:
    columns = "customer_id,email,phone,locale,timezone,email_consent,sms_consent,signup_at"
    with path.open("w", encoding="utf-8") as file:
        print(columns, file=file)
        for number in range(count):
            phone, day = f"+1201555{number % 10_000:04}", f"2025-{1 + number % 12:02}-{1 + number % 28:02}"
            consent = f"true,{'true' if number % 2 else 'false'}"
            person = f"c{number:07},person{number}@example.com,{phone},en,Europe/Rome"
            print(f"{person},{consent},{day}T10:00:00Z", file=file)


def write_events(path: Path, count: int, customers: int) -> None:
    drawn = random.Random(1)  # noqa: S311 (made-up orders)
    with path.open("w", encoding="utf-8") as file:
        print("event_id,event,customer_id,ts,revenue,channel", file=file)
        for number in range(count):
            customer, time_ = drawn.randrange(customers), f"2026-{1 + number % 5:02}-{1 + number % 28:02}T10:30:00Z"
            amount = drawn.randrange(100, 9_999) / 100
            print(f"e{number},Order Completed,c{customer:07},{time_},{amount},web", file=file)
