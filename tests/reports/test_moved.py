"""Where customers stood before a period and at its end: the runs' own counts, and the changes in between."""

from datetime import date

import pytest
from shop import Shop, at

from automation.clock import DAY
from automation.reports.asked import Asked
from automation.reports.moved import moved, stages_by_date, stages_on
from automation.reports.period import Period
from automation.reports.standing import from_start_to_end

NOW = "2026-03-01T12:00:00Z"


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Ann stays new, Bob buys, Cid goes from new to regular, Dot leaves and comes back, Eve signs up in February."""
    shop.write()
    shop.customers("ann", "bob", "cid", "dot", now="2025-12-01T00:00:00Z", signup_at="2025-12-01T00:00:00Z")
    shop.orders("dot", "2025-12-02T09:00:00Z")
    shop.evaluate("2026-01-01T06:00:00Z")
    shop.orders("bob", "2026-01-10T09:00:00Z")
    shop.evaluate("2026-01-11T06:00:00Z")
    shop.customers("eve", now="2026-02-03T00:00:00Z")
    shop.orders("cid", *(f"2026-02-0{day}T09:00:00Z" for day in (1, 2, 3)))
    shop.evaluate("2026-02-04T06:00:00Z")
    shop.orders("dot", "2026-02-20T09:00:00Z")
    shop.evaluate("2026-02-21T06:00:00Z")
    return shop


def asked(shop: Shop, connection: object, since: str, until: str, now: str = NOW) -> Asked:
    period = Period(date.fromisoformat(since), date.fromisoformat(until), shop.settings.business.zone)
    return Asked(connection, shop.settings, shop.book, period, shop.book.lifecycle, at(now))  # type: ignore[arg-type]


def test_who_stayed_moved_or_came_is_counted_from_start_to_end(lived: Shop) -> None:
    with lived.database.reading() as connection:
        found = moved(asked(lived, connection, "2026-01-02", "2026-02-28"))
    assert found == {
        ("new", "new"): 1,  # Ann
        ("new", "buyer"): 1,  # Bob
        ("new", "regular"): 1,  # Cid
        ("buyer", "buyer"): 1,  # Dot, who was gone in between
        (None, "new"): 1,  # Eve
    }


@pytest.mark.parametrize(
    ("since", "until", "now"),
    [
        ("2026-01-02", "2026-02-28", NOW),
        ("2026-01-11", "2026-02-04", NOW),
        ("2026-01-12", "2026-01-31", NOW),
        ("2026-02-04", "2026-03-01", "2026-02-10T00:00:00Z"),
        ("2025-01-01", "2026-03-01", NOW),
        ("2024-01-01", "2024-03-01", NOW),
    ],
)
def test_it_agrees_with_every_customers_own_history(lived: Shop, since: str, until: str, now: str) -> None:
    with lived.database.reading() as connection:
        one = asked(lived, connection, since, until, now)
        found, everybody = moved(one), from_start_to_end(one)
        before = stages_on(connection, date.fromisoformat(since) - DAY)
    assert {pair: count for pair, count in found.items() if pair[0] is not None} == everybody
    assert sum(everybody.values()) == sum(before.values())


def test_stages_over_time_are_those_that_each_run_counted(lived: Shop) -> None:
    with lived.database.reading() as connection:
        found = stages_by_date(connection, date(2026, 1, 5), date(2026, 2, 10))
    assert {day.isoformat(): {key: count for key, count in one.items() if count} for day, one in found.items()} == {
        "2026-01-11": {"new": 2, "buyer": 2},
        "2026-02-04": {"new": 2, "buyer": 1, "regular": 1, "gone": 1},
    }
