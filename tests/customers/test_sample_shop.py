"""The made-up shop: the same every time, nobody real in it, and customers of every kind."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation.customers.load import import_customers, import_events
from automation.customers.records import customer, event
from automation.customers.rejects import Rejected
from automation.customers.sample_shop import SampleShop, sample_shop
from automation.database.engine import connect
from automation.lifecycle.model import ROLES
from automation.playbooks.load import read_book
from automation.settings import load
from automation.values import instant
from automation.worker.runs import evaluate

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 18, 6, tzinfo=UTC)
MADE_UP = re.compile(r"[a-z0-9.-]+@([a-z0-9-]+\.)*(example\.com|test)")
FICTIONAL = re.compile(r"\+1[0-9]{3}55501[0-9]{2}")


@pytest.fixture(scope="module")
def shop() -> SampleShop:
    return sample_shop(NOW)


def good_customers(shop: SampleShop) -> list[dict[str, str]]:
    return [row for row in shop.customers if row["customer_id"].startswith("c")]


def test_it_is_the_same_every_time(shop: SampleShop) -> None:
    assert sample_shop(NOW) == shop
    assert sample_shop(NOW, seed=2) != shop


def test_a_customer_does_not_depend_on_how_many_there_are(shop: SampleShop) -> None:
    few = {row["customer_id"]: row for row in good_customers(sample_shop(NOW, 20))}
    many = {row["customer_id"]: row for row in shop.customers}
    assert len(few) == 20
    assert few.items() <= many.items()


def test_nobody_in_it_can_be_written_to(shop: SampleShop) -> None:
    addresses = [row["email"] for row in good_customers(shop) if row["email"]]
    phones = [row["phone"] for row in good_customers(shop) if row["phone"]]
    assert all(MADE_UP.fullmatch(address) for address in addresses)
    assert all(FICTIONAL.fullmatch(phone) for phone in phones)
    assert len(set(addresses)) == len(addresses)
    assert len(set(phones)) == len(phones)


def test_it_covers_eighteen_months_and_nothing_lies_in_the_future(shop: SampleShop) -> None:
    signed_up = [instant(row["signup_at"]) for row in shop.customers]
    assert min(signed_up) < NOW - timedelta(days=530)
    assert max(signed_up) <= NOW
    times = [row["timestamp"] for row in shop.events]
    assert times == sorted(times)
    assert all(instant(time) <= NOW for time in times if time[0] == "2")


def test_only_its_deliberately_bad_rows_are_rejected(shop: SampleShop) -> None:
    bad = 0
    for row in shop.customers:
        try:
            customer(row, csv=True)
        except Rejected:
            bad += 1
    for told in shop.events:
        try:
            event(told, csv=False)
        except Rejected:
            bad += 1
    assert bad == 5


def test_some_lack_consent_a_number_a_zone_or_a_country(shop: SampleShop) -> None:
    rows = good_customers(shop)
    for column in ("email_consent", "sms_consent", "phone", "timezone", "country", "locale"):
        filled = sum(row[column] != "" for row in rows)
        assert 0.2 * len(rows) < filled < len(rows), column
    assert {"it", "en-GB", "pl", "de"} <= {row["locale"] for row in rows}
    assert {"Europe/Rome", "America/New_York", "Australia/Sydney"} <= {row["timezone"] for row in rows}


def test_every_role_and_several_playbooks_occur(shop: SampleShop, sqlite_url: str, tmp_path: Path) -> None:
    settings = load(ROOT / "config.toml")
    book = read_book(settings)
    customers, events = tmp_path / "customers.csv", tmp_path / "events.jsonl"
    with customers.open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, list(shop.customers[0]))
        rows.writeheader()
        rows.writerows(shop.customers)
    events.write_text("".join(json.dumps(row) + "\n" for row in shop.events), encoding="utf-8")
    database = connect(sqlite_url)
    import_customers(database, customers, NOW)
    import_events(database, events, NOW)
    found = evaluate(database, settings, book, "test", NOW)
    database.close()

    assert found["customers"] == 2_000
    roles = {role for stage in book.lifecycle.stages if found["stages"][stage.key] >= 40 for role in stage.roles}
    assert roles == set(ROLES)
    assert max(found["stages"].values()) < 1_000
    for family in ("trial_offer", "purchase_nudge", "loyalty_reward", "referral_ask", "win_back"):
        assert any(found["entered"].get(key) for key, one in book.playbooks.items() if one.model.family == family), (
            family
        )
