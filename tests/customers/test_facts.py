"""Facts against a plain Python reading of the same events, on both databases."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fact_rows import (
    ALL,
    NOW,
    PROPERTIES,
    TODAY,
    Event,
    add_consent,
    add_customer,
    add_event,
    definitions_of,
    empty,
    rebuilt,
    stored,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from automation.customers.facts.definition import read_definitions
from automation.customers.facts.refresh import prepare, refresh
from automation.database.engine import Database
from automation.database.schema import suppressions
from automation.tomlfile import parse_toml, read_toml

ROOT = Path(__file__).parents[2]


def number_in(value: Any) -> Decimal | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return round(Decimal(str(value)), 4) if plain else None


def text_in(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def amounts_of(events: Sequence[Any], currency: str) -> list[Decimal]:
    found = [number_in(one[3].get("amount")) for one in events if currency_of(one[3]) == currency]
    return [amount for amount in found if amount is not None]


def currency_of(properties: Any) -> str:
    named = properties.get("currency")
    return "EUR" if named in {None, ""} and named is not False else str(named).upper()


def expected(history: Sequence[Event], now: datetime) -> dict[str, Any]:
    """The definitions, read by a person."""
    seen = sorted(
        ((time, event_id, name, properties) for event_id, name, time, properties in history if time <= now),
        key=lambda one: one[:2],
    )
    orders = [one for one in seen if one[2] == "Order"]
    surveys = [one for one in seen if one[2] == "Survey"]
    amounts = amounts_of(orders, "EUR")
    sizes = [number_in(one[3].get("amount")) for one in orders]
    newest = surveys[-1][3] if surveys else {}
    happy, upcoming = newest.get("happy"), newest.get("next")
    recent = [one for one in orders if one[0] > now - timedelta(days=30)]
    gifts = [one for one in orders if one[3].get("gift") is True]
    return {
        "orders": sum(one[2] in {"Order", "order"} for one in seen),
        "web_orders_30d": sum(one[3].get("channel") == "web" for one in recent),
        "big_or_gift": sum(one[3].get("size") == "L" or number_in(one[3].get("size")) == 3 for one in gifts),
        "revenue": sum(amounts, Decimal(0)),
        "net": sum(amounts, -sum(amounts_of([one for one in seen if one[2] == "Refund"], "EUR"), Decimal(0))),
        "dollars": sum(amounts_of(orders, "USD"), Decimal(0)),
        "paid_orders": sum(
            not (one[3].get("gift") is True or (size is not None and size <= 0))
            for one, size in zip(orders, sizes, strict=True)
        ),
        "middling": sum(size is not None and -20 < size < 500 for size in sizes),
        "largest": max(amounts, default=None),
        "smallest": min(amounts, default=None),
        "first_order": orders[0][0] if orders else None,
        "last_order": orders[-1][0] if orders else None,
        "first_channel": text_in(orders[0][3].get("channel")) if orders else None,
        "last_channel": text_in(orders[-1][3].get("channel")) if orders else None,
        "nps": number_in(newest.get("nps")),
        "happy": happy if isinstance(happy, bool) else None,
        "next_visit": datetime.fromisoformat(upcoming) if isinstance(upcoming, str) and "T" in upcoming else None,
        "channels": len({found for one in orders if (found := text_in(one[3].get("channel"))) is not None}),
    }


EDGES = [
    NOW,
    NOW + timedelta(microseconds=1),
    NOW - timedelta(days=30),
    NOW - timedelta(days=30) + timedelta(microseconds=1),
]
TIMES = st.one_of(
    st.integers(-60 * 24 * 40, 60 * 24 * 20).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    st.sampled_from(EDGES),
)
HISTORIES = st.lists(
    st.tuples(st.sampled_from(["Order", "order", "Survey", "Refund", "Other"]), TIMES, PROPERTIES), max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORIES, later=HISTORIES, days=st.integers(0, 40))
def test_refreshed_facts_are_what_a_plain_reading_and_a_rebuild_give(
    database: Database, history: list[Any], later: list[Any], days: int
) -> None:
    definitions = definitions_of()
    known: list[Event] = []
    with database.writing() as connection:
        empty(connection)
        prepare(connection, definitions)
        add_customer(connection, "ada")
        add_customer(connection, "bob")
        for batch, now in ((history, NOW), (later, NOW + timedelta(days=days))):
            for name, time, properties in batch:
                known.append((f"e{len(known):02}", name, time, properties))
                add_event(connection, "ada", *known[-1][:3], **properties)
            refresh(connection, definitions, ALL, now, now.date())
            found = stored(connection, definitions)
            wanted = expected(known, now)
            assert {name: found["ada"][name] for name in wanted} == wanted
            assert found == rebuilt(connection, definitions, now)


@pytest.mark.parametrize(
    ("wanted", "count"), [("web", 1), ("", 1), ("10", 2), ("-3", 1), ("true", 1), ("[1]", 1), ('{"a":1}', 0)]
)
def test_a_text_in_where_means_that_text_or_whole_number(database: Database, wanted: str, count: int) -> None:
    definitions = definitions_of(f"[such]\nevent = 'Order'\ncount = true\nwhere = {{ channel = '{wanted}' }}\n")
    values = ("web", "", "10", 10, 10.5, -3, True, "true", [1], "[1]", {"a": 1}, None, "Web")
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        for number, value in enumerate(values):
            add_event(connection, "ada", str(number), "Order", NOW, channel=value)
        add_event(connection, "ada", "none", "Order", NOW)
        refresh(connection, definitions, ALL, NOW, TODAY)
        assert stored(connection, definitions)["ada"]["such"] == count


def test_numbers_are_rounded_to_four_decimals_one_by_one(database: Database) -> None:
    definitions = definitions_of()
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        for number, amount in enumerate((0.00004, 0.00004, 0.00004, 7.123456)):
            add_event(connection, "ada", str(number), "Order", NOW, amount=amount)
        refresh(connection, definitions, ALL, NOW, TODAY)
        ada = stored(connection, definitions)["ada"]
    assert (ada["revenue"], ada["largest"], ada["smallest"]) == (Decimal("7.1235"), Decimal("7.1235"), Decimal(0))


def test_points_are_what_was_earned_less_what_was_spent(database: Database) -> None:
    definitions = definitions_of('[points]\nevent = "Points Earned"\nsum = "points"\nminus = "Points Spent"\n')
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        for number, (name, points) in enumerate([("Earned", 120), ("Spent", 100), ("Earned", 15), ("Expired", 5)]):
            add_event(connection, "ada", str(number), f"Points {name}", NOW, points=points)
        refresh(connection, definitions, ALL, NOW, TODAY)
        assert stored(connection, definitions)["ada"]["points"] == 35


def test_a_refund_is_no_order_whichever_way_it_is_told(database: Database) -> None:
    definitions = read_definitions(read_toml(ROOT / "playbooks/facts.toml"))
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        add_event(connection, "ada", "1", "Order Completed", NOW, revenue=50, currency="EUR")
        add_event(connection, "ada", "2", "Order Refunded", NOW, revenue=20, currency="EUR")
        add_event(connection, "ada", "3", "order", NOW, amount=-50)
        add_event(connection, "ada", "4", "Order Completed", NOW, revenue=-30)
        add_event(connection, "ada", "5", "Order Completed", NOW, revenue=70, currency="CHF")
        refresh(connection, definitions, ALL, NOW, TODAY)
        ada = stored(connection, definitions)["ada"]
    assert (ada["orders"], ada["refunds"], ada["revenue"]) == (2, 1, 0)


def test_amounts_that_name_no_currency_are_in_that_of_the_business(database: Database) -> None:
    text = "[revenue]\nevent = 'Order'\nsum = 'revenue'\n[items]\nevent = 'Order'\nsum = 'items'\n"
    definitions = read_definitions(parse_toml(text, "facts.toml"), "PLN")
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        add_event(connection, "ada", "1", "Order", NOW, revenue=10, items=1)
        add_event(connection, "ada", "2", "Order", NOW, revenue=20, items=2, currency="pln")
        add_event(connection, "ada", "3", "Order", NOW, revenue=40, items=4, currency="EUR")
        refresh(connection, definitions, ALL, NOW, TODAY)
        ada = stored(connection, definitions)["ada"]
    assert (ada["revenue"], ada["items"]) == (30, 7)


def test_an_event_of_the_future_counts_from_its_time_on(database: Database) -> None:
    definitions = definitions_of()
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        add_event(connection, "ada", "1", "Order", NOW + timedelta(hours=5))
        refresh(connection, definitions, ALL, NOW, TODAY)
        assert stored(connection, definitions)["ada"]["orders"] == 0
        refresh(connection, definitions, ALL, NOW + timedelta(hours=5), TODAY)
        assert stored(connection, definitions)["ada"]["orders"] == 1


def test_going_back_in_time_rebuilds(database: Database) -> None:
    definitions = definitions_of()
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        add_event(connection, "ada", "1", "Order", NOW)
        refresh(connection, definitions, ALL, NOW + timedelta(days=9), TODAY)
        refresh(connection, definitions, ALL, NOW - timedelta(days=9), TODAY)
        assert stored(connection, definitions)["ada"]["orders"] == 0


def test_other_definitions_make_other_columns_and_a_rebuild(database: Database) -> None:
    before, after = definitions_of(), definitions_of('[buys]\nevent = "Order"\ncount = true\n')
    with database.writing() as connection:
        prepare(connection, before)
        add_customer(connection, "ada")
        add_event(connection, "ada", "1", "Order", NOW)
        refresh(connection, before, ALL, NOW, TODAY)
        prepare(connection, after)
        assert refresh(connection, after, ALL, NOW, TODAY) == 1
        assert stored(connection, after)["ada"]["buys"] == 1


def test_an_empty_file_leaves_what_is_always_there(database: Database) -> None:
    nothing = definitions_of("")
    with database.writing() as connection:
        prepare(connection, nothing)
        add_customer(connection, "ada", signup_at=NOW, locale="pl-PL", country="PL")
        refresh(connection, nothing, ALL, NOW, TODAY)
        ada = stored(connection, nothing)["ada"]
    assert (ada["signed_up"], ada["locale"], ada["country"]) == (NOW, "pl-PL", "PL")
    assert (ada["can_email"], ada["can_sms"]) == (False, False)


@pytest.mark.parametrize(
    ("records", "allowed"),
    [
        ([("*", True)], True),
        ([("*", True), ("*", False)], False),
        ([("*", True), ("offers", False)], True),
        ([("offers", True), ("*", False)], False),
        ([("*", False), ("offers", True)], True),
        ([], False),
    ],
)
def test_can_email_follows_the_consent_ledger(
    database: Database, records: list[tuple[str, bool]], allowed: bool
) -> None:
    nothing = definitions_of("")
    with database.writing() as connection:
        prepare(connection, nothing)
        add_customer(connection, "ada", email="ada@example.com")
        for number, (topic, granted) in enumerate(records, start=1):
            add_consent(connection, "ada", number, topic, granted)
        refresh(connection, nothing, ALL, NOW, TODAY)
        assert stored(connection, nothing)["ada"]["can_email"] is allowed


def test_nobody_can_be_written_to_at_a_suppressed_address(database: Database) -> None:
    nothing = definitions_of("")
    with database.writing() as connection:
        prepare(connection, nothing)
        add_customer(connection, "ada", email="ada@example.com")
        add_consent(connection, "ada", 1, "*", True)
        row = {"channel": "email", "address": "ada@example.com", "reason": "bounced_hard", "source": "test"}
        connection.execute(insert(suppressions), {**row, "recorded_at": NOW})
        refresh(connection, nothing, ALL, NOW, TODAY)
        assert stored(connection, nothing)["ada"]["can_email"] is False


def test_attributes_are_facts_of_their_type(database: Database) -> None:
    definitions = definitions_of()
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada", attributes={"plan": "gold", "points": 12.5, "renews": "2026-05-01"})
        add_customer(connection, "bob", attributes={"plan": True, "points": "many", "renews": "soon"})
        refresh(connection, definitions, ALL, NOW, TODAY)
        found = stored(connection, definitions)
    assert (found["ada"]["plan"], found["ada"]["points"]) == ("gold", Decimal("12.5"))
    # A date without a time is noon UTC: the same calendar date from Hawaii to Sydney.
    assert found["ada"]["renews"] == datetime(2026, 5, 1, 12, tzinfo=UTC)
    assert (found["bob"]["plan"], found["bob"]["points"], found["bob"]["renews"]) == (None, None, None)
