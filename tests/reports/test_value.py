"""Money and orders with known answers, on both databases."""

import pytest
from reporting import EVENTS, cells, figures, report
from shop import Shop

JANUARY = ("2026-01-01", "2026-01-31")


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.sections = EVENTS
    shop.write()
    shop.customers("ann", "bob", "cid", now="2025-11-01T00:00:00Z", signup_at="2025-11-01T00:00:00Z")


def test_orders_refunds_and_net_of_a_period(shop: Shop) -> None:
    shop.orders("ann", "2025-12-31T09:00:00Z", revenue=500)
    shop.orders("ann", "2026-01-10T09:00:00Z", revenue=0.1)
    shop.orders("bob", "2026-01-11T09:00:00Z", amount=0.2)
    shop.orders("bob", "2026-01-12T09:00:00Z")  # an order whose price nobody told
    shop.orders("bob", "2026-01-13T09:00:00Z", amount=-0.05)
    shop.orders("ann", "2026-01-14T09:00:00Z", event="Order Refunded", revenue=100)
    found = figures(report(shop, "value", *JANUARY))
    assert found == {
        "orders": "3",
        "revenue": "0.30 EUR",
        "refunds": "100.05 EUR",
        "net": "-99.75 EUR",
        "average_order": "0.15 EUR",
        "lifetime_value": "200.12 EUR",  # (500.1 - 100 + 0.2 - 0.05) / 2
    }


def test_amounts_of_two_currencies_are_never_added_together(shop: Shop) -> None:
    shop.orders("ann", "2026-01-10T09:00:00Z", revenue=10, currency="usd")
    shop.orders("ann", "2026-01-11T09:00:00Z", revenue=20)
    shop.orders("bob", "2026-01-12T09:00:00Z", revenue=5, currency="EUR")
    shop.orders("cid", "2026-01-13T09:00:00Z", event="Order Refunded", revenue=1, currency="USD")
    told = report(shop, "value", *JANUARY)
    assert figures(told)["revenue"] == "25.00 EUR, 10.00 USD"
    assert figures(told)["net"] == "25.00 EUR, 9.00 USD"
    assert cells(told, "currencies") == [
        ("EUR", "2", "25", "0", "25", "12.50"),
        ("USD", "1", "10", "1", "9", "10.00"),
    ]
    assert cells(told, "cohorts") == [
        ("(never)", "USD", "0", "0", "-1", "None"),
        ("2026-01", "EUR", "2", "2", "25", "12.50"),
        ("2026-01", "USD", "1", "1", "10", "10.00"),
    ]


def test_the_month_of_the_first_order_is_the_customers_in_every_currency(shop: Shop) -> None:
    shop.orders("ann", "2025-11-10T09:00:00Z", revenue=10, currency="USD")
    shop.orders("ann", "2026-01-11T09:00:00Z", revenue=20)
    shop.orders("bob", "2025-12-31T23:30:00Z", revenue=1)  # in Rome it is the new year
    assert cells(report(shop, "value", *JANUARY), "cohorts") == [
        ("2025-11", "EUR", "1", "1", "20", "20.00"),
        ("2025-11", "USD", "1", "1", "10", "10.00"),
        ("2026-01", "EUR", "1", "1", "1", "1.00"),
    ]


def test_value_by_stage_is_in_the_lifecycles_order(shop: Shop) -> None:
    shop.orders("ann", *(f"2026-01-0{day}T09:00:00Z" for day in (1, 2, 3)), revenue=30)
    shop.orders("bob", "2026-01-04T09:00:00Z", revenue=7)
    assert cells(report(shop, "value", *JANUARY), "stages") == [("(in none)", "EUR", "4", "97", "0", "97")]
    shop.evaluate("2026-01-05T06:00:00Z")
    told = report(shop, "value", "2026-01-02", "2026-01-31")
    assert cells(told, "stages") == [
        ("buyer", "EUR", "1", "7", "0", "7"),
        ("regular", "EUR", "2", "60", "0", "60"),
    ]
    assert cells(told, "lifetime") == [
        ("buyer", "EUR", "1", "1", "7", "7.00"),
        ("regular", "EUR", "1", "3", "90", "90.00"),
    ]


def test_what_comes_after_the_period_is_worth_nothing_yet(shop: Shop) -> None:
    shop.orders("ann", "2026-02-01T09:00:00Z", revenue=30)
    assert figures(report(shop, "value", *JANUARY)) == {
        "orders": "0",
        **dict.fromkeys(("revenue", "refunds", "net", "average_order", "lifetime_value"), "none"),
    }
