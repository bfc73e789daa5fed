"""2,357 real customers and 6,919 orders of 1997-98: the product's answers against plain SQL over the same rows."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, select, text

from automation.customers.facts.compute import facts_table
from automation.customers.load import import_customers, import_events
from automation.database.engine import Database
from automation.playbooks.load import Book, read_book
from automation.settings import Settings, load
from automation.worker import runs

ROOT = Path(__file__).parents[2]
DATES = ["1997-01-20", "1997-05-02", "1997-12-28", "1998-06-30"]
NOW = datetime(1997, 1, 2, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """The shipped files, over this test's database, in a business that sells in dollars."""
    for name in ("playbooks", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    config = (ROOT / "config.toml").read_text(encoding="utf-8")
    config = config.replace("sqlite:///automation.db", database_url).replace('currency = "EUR"', 'currency = "USD"')
    (tmp_path / "config.toml").write_text(config, encoding="utf-8")
    return load(tmp_path / "config.toml")


@pytest.fixture
def imported(tmp_path: Path, shared: Path, database: Database) -> Database:
    for name, work in (("customers.csv", import_customers), ("events.jsonl", import_events)):
        shutil.copy(shared / "data" / "cdnow_sample" / name, tmp_path / name)
        first = work(database, tmp_path / name, NOW)
        again = work(database, tmp_path / name, NOW)
        assert (first.created, first.rejected) == (first.read, 0)
        assert again.created == 0
    return database


def test_facts_and_stages_of_four_dates_are_what_plain_sql_says(imported: Database, settings: Settings) -> None:
    book = read_book(settings)
    for date in DATES:
        now = datetime.fromisoformat(f"{date}T05:00:00+00:00")
        told = runs.evaluate(imported, settings, book, "test", now)
        with imported.reading() as connection:
            orders = plain_orders(connection, now)
            assert stored_orders(connection, book) == orders
            assert told["stages"] == plain_stages(connection, now, date)


def plain_orders(connection: Connection, now: datetime) -> dict[str, tuple[int, float]]:
    """Orders and what was spent, by customer."""
    sqlite = connection.dialect.name == "sqlite"
    amount = "json_extract(properties, '$.amount')" if sqlite else "(properties ->> 'amount')::numeric"
    query = f"SELECT customer_id, count(*), round(sum({amount}), 2) FROM events WHERE time <= :now GROUP BY customer_id"
    rows = connection.execute(text(query), {"now": stamp(connection, now)})
    return {customer_id: (count, float(spent)) for customer_id, count, spent in rows}


def stored_orders(connection: Connection, book: Book) -> dict[str, tuple[int, float]]:
    facts = facts_table(book.facts)
    rows = connection.execute(select(facts.c.customer_id, facts.c.orders, facts.c.spent).where(facts.c.orders > 0))
    return {customer_id: (int(count), float(spent)) for customer_id, count, spent in rows}


def plain_stages(connection: Connection, now: datetime, date: str) -> dict[str, int]:
    """The rules of standard.toml as far as orders and sign-up dates go, with dates counted in Rome by the database."""
    query = f"""
        WITH bought AS (
            SELECT customer_id, count(*) AS orders, min(time) AS first_time, max(time) AS last_time
            FROM events WHERE time <= :now GROUP BY customer_id
        )
        SELECT stage, count(*) FROM (
            SELECT CASE
                WHEN {days(connection, "last_time")} > 120 THEN 'leaving'
                WHEN orders >= 4 THEN 'loyal'
                WHEN orders >= 2 THEN 'retained'
                WHEN {days(connection, "first_time")} > 14 THEN 'using'
                WHEN orders >= 1 THEN 'buying'
                WHEN {days(connection, "signup_at")} BETWEEN 3 AND 60 THEN 'evaluating'
                ELSE 'aware' END AS stage
            FROM customers LEFT JOIN bought USING (customer_id)
        ) AS standing GROUP BY stage
    """
    rows = connection.execute(text(query), {"now": stamp(connection, now), "date": date})
    none = dict.fromkeys(["aware", "evaluating", "buying", "using", "retained", "loyal", "advocate", "leaving"], 0)
    return none | dict(rows.all())


def days(connection: Connection, column: str) -> str:
    """Calendar days in Rome since an instant: UTC+1 in winter, UTC+2 from the last Sunday of March to October's."""
    if connection.dialect.name == "postgresql":
        return f"(CAST(:date AS date) - ({column} AT TIME ZONE 'Europe/Rome')::date)"
    seconds = f"{column} / 1000000, 'unixepoch'"
    summer = f"strftime('%m%d', {seconds}) BETWEEN '0331' AND '1025'"
    return f"CAST(julianday(:date) - julianday(date({seconds}, iif({summer}, '+2 hours', '+1 hours'))) AS integer)"


def stamp(connection: Connection, now: datetime) -> object:
    return int(now.timestamp() * 1_000_000) if connection.dialect.name == "sqlite" else now


def test_a_row_of_the_run_keeps_what_was_told(imported: Database, settings: Settings) -> None:
    now = datetime.fromisoformat("1997-01-20T05:00:00+00:00")
    told = runs.evaluate(imported, settings, read_book(settings), "test", now)
    with imported.reading() as connection:
        summary = connection.execute(text("SELECT summary FROM runs")).scalar_one()
    kept = json.loads(summary) if isinstance(summary, str) else summary
    assert {key: kept[key] for key in ("changes", "entered", "planned")} == {
        key: told[key] for key in ("changes", "entered", "planned")
    }
