"""Who ordered again, by the month of their first order."""

import json
import shutil
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from reporting import EVENTS, cells, figures, report
from shop import Shop

from automation.customers.load import import_customers, import_events

IMPORTED = '[reports]\norders = ["order"]\n'


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.sections = EVENTS
    shop.write()


def test_month_by_month_who_ordered_again(shop: Shop) -> None:
    shop.customers("ann", "bob", "cid")
    shop.orders("ann", "2026-01-10T09:00:00Z", "2026-01-20T09:00:00Z", "2026-03-01T09:00:00Z")
    shop.orders("bob", "2026-01-10T09:00:00Z", "2026-02-10T09:00:00Z", "2026-02-11T09:00:00Z")
    shop.orders("cid", "2026-02-10T09:00:00Z")
    told = report(shop, "cohorts", "2026-01-15", "2026-03-31")
    assert cells(told, "retention") == [
        ("2026-01", "2", "0", "50 % (1 of 2)"),
        ("2026-01", "2", "1", "50 % (1 of 2)"),
        ("2026-01", "2", "2", "50 % (1 of 2)"),
        ("2026-02", "1", "0", "0 % (0 of 1)"),
        ("2026-02", "1", "1", "0 % (0 of 1)"),
    ]
    assert cells(told, "shares") == [("2026-01", "2", "50", "50", "50"), ("2026-02", "1", "0", "0", "")]
    assert figures(told) == {"customers": "3"}
    assert told.notes == []


def test_cohorts_begin_with_the_very_first_order(shop: Shop) -> None:
    shop.customers("ann")
    shop.orders("ann", "2025-01-10T09:00:00Z", "2026-01-10T09:00:00Z")
    assert cells(report(shop, "cohorts", "2026-01-01", "2026-03-31")) == []


def test_a_refund_is_no_second_order_and_a_running_month_is_said(shop: Shop) -> None:
    shop.customers("ann")
    shop.orders("ann", "2026-01-10T09:00:00Z", revenue=9)
    shop.orders("ann", "2026-01-12T09:00:00Z", revenue=-9)
    told = report(shop, "cohorts", "2026-01-01", "2026-01-20")
    assert cells(told) == [("2026-01", "1", "0", "0 % (0 of 1)")]
    assert len(told.notes) == 1


def test_nobody_is_in_no_cohort(shop: Shop) -> None:
    assert cells(report(shop, "cohorts", "2026-01-01", "2026-01-20")) == []


def test_cohorts_of_real_orders_are_those_of_plain_python(shop: Shop, shared: Path) -> None:
    shop.sections = IMPORTED
    shop.write()
    now = datetime(1998, 7, 1, tzinfo=UTC)
    for name, work in (("customers.csv", import_customers), ("events.jsonl", import_events)):
        shutil.copy(shared / "data" / "cdnow_sample" / name, shop.folder / name)
        work(shop.database, shop.folder / name, now)
    told = report(shop, "cohorts", "1997-01-01", "1998-06-30", now="1998-07-02T00:00:00Z")
    assert cells(told, "retention") == plain_cohorts(shop.folder / "events.jsonl")
    assert cells(told, "counts")[0][1] == "781"


def plain_cohorts(file: Path) -> list[tuple[str, ...]]:
    """The same from the file, customer by customer."""
    months: dict[str, list[int]] = defaultdict(list)
    for line in file.read_text().splitlines():
        row = json.loads(line)
        when = datetime.fromisoformat(row["ts"]).astimezone(ZoneInfo("Europe/Rome"))
        months[row["customer_id"]].append(when.year * 12 + when.month - 1)
    found: list[tuple[str, ...]] = []
    for first in sorted({min(of_one) for of_one in months.values()}):
        cohort = [of_one for of_one in months.values() if min(of_one) == first]
        for later in range(1998 * 12 + 6 - first):
            again = sum(of_one.count(first + later) > (later == 0) for of_one in cohort)
            share = f"{round(again * 100 / len(cohort), 1):g} % ({again} of {len(cohort)})"
            found.append((f"{first // 12}-{first % 12 + 1:02}", str(len(cohort)), str(later), share))
    return found
