"""Facts against a plain Python reading of the same events, on both databases."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, literal, select
from sqlalchemy.event import listens_for

from automation.customers.facts.compute import facts_table
from automation.customers.facts.definition import FactDefinitions, read_definitions
from automation.customers.facts.refresh import facts_of, prepare, refresh, touched
from automation.customers.facts.touch import touch
from automation.database.engine import Database
from automation.database.schema import Shards, consents, customers, events, metadata, shard_of, suppressions
from automation.database.types import Key
from automation.tomlfile import parse_toml

NOW = datetime(2026, 3, 10, 6, tzinfo=UTC)
TODAY = date(2026, 3, 10)
ALL = Shards()
FACTS = """
[orders]
event = ["Order", "order"]
count = true
[web_orders_30d]
event = "Order"
count = true
within = "30 days"
where = { channel = "web" }
[big_or_gift]
event = "Order"
count = true
where = { gift = true, size = ["L", 3] }
[revenue]
event = "Order"
sum = "amount"
[largest]
event = "Order"
max = "amount"
[smallest]
event = "Order"
min = "amount"
[first_order]
event = "Order"
first = "time"
[last_order]
event = "Order"
last = "time"
[first_channel]
event = "Order"
first = "channel"
type = "text"
[last_channel]
event = "Order"
latest = "channel"
type = "text"
[nps]
event = "Survey"
latest = "nps"
[happy]
event = "Survey"
latest = "happy"
type = "boolean"
[next_visit]
event = "Survey"
latest = "next"
type = "instant"
[channels]
event = "Order"
distinct = "channel"
[plan]
attribute = "plan"
[points]
attribute = "points"
type = "number"
[renews]
attribute = "renews"
type = "instant"
"""
Event = tuple[str, str, datetime, Mapping[str, Any]]


def definitions_of(text: str = FACTS) -> FactDefinitions:
    return read_definitions(parse_toml(text, "facts.toml"))


def add_customer(connection: Connection, customer_id: str, **values: Any) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "attributes": {}, **values}
    connection.execute(insert(customers), row)
    mark(connection, customer_id)


def add_event(
    connection: Connection, customer_id: str, event_id: str, name: str, time: datetime, **properties: Any
) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "event_id": event_id, "name": name}
    connection.execute(insert(events), {**row, "time": time, "properties": properties})
    mark(connection, customer_id)


def add_consent(connection: Connection, customer_id: str, number: int, topic: str, granted: bool) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "number": number, "topic": topic}
    told = {"channel": "email", "granted": granted, "basis": "test", "source": "test", "actor": "test"}
    connection.execute(insert(consents), {**row, **told, "recorded_at": NOW})


def mark(connection: Connection, customer_id: str) -> None:
    one = select(literal(shard_of(customer_id)).label("shard"), literal(customer_id, Key).label("customer_id"))
    touch(connection, one.subquery())


def without_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"shard", "customer_id", "stale"}}


def stored(connection: Connection, definitions: FactDefinitions) -> dict[str, dict[str, Any]]:
    rows = connection.execute(select(facts_table(definitions))).mappings()
    return {row["customer_id"]: without_keys(dict(row)) for row in rows}


def rebuilt(connection: Connection, definitions: FactDefinitions, now: datetime) -> dict[str, dict[str, Any]]:
    everyone = connection.execute(select(customers.c.shard, customers.c.customer_id)).all()
    found = facts_of(connection, definitions, everyone, now, now.date())
    return {customer_id: without_keys(row) for (_, customer_id), row in found.items()}


def number_in(value: Any) -> Decimal | None:
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return round(Decimal(str(value)), 4) if plain else None


def text_in(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def expected(history: Sequence[Event], now: datetime) -> dict[str, Any]:
    """The definitions, read by a person."""
    seen = sorted(
        ((time, event_id, name, properties) for event_id, name, time, properties in history if time <= now),
        key=lambda one: one[:2],
    )
    orders = [one for one in seen if one[2] == "Order"]
    surveys = [one for one in seen if one[2] == "Survey"]
    amounts = [amount for one in orders if (amount := number_in(one[3].get("amount"))) is not None]
    newest = surveys[-1][3] if surveys else {}
    happy, upcoming = newest.get("happy"), newest.get("next")
    recent = [one for one in orders if one[0] > now - timedelta(days=30)]
    gifts = [one for one in orders if one[3].get("gift") is True]
    return {
        "orders": sum(one[2] in {"Order", "order"} for one in seen),
        "web_orders_30d": sum(one[3].get("channel") == "web" for one in recent),
        "big_or_gift": sum(one[3].get("size") == "L" or number_in(one[3].get("size")) == 3 for one in gifts),
        "revenue": sum(amounts, Decimal(0)),
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


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 1000),
    st.decimals(-1000, 1000, places=2).map(float),
    st.sampled_from(["web", "shop", "L", "", "10", "żółw", "2026-01-05T10:00:00Z"]),
)
NAMES = ["amount", "channel", "gift", "size", "nps", "happy", "next"]
PROPERTIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)
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
HISTORIES = st.lists(st.tuples(st.sampled_from(["Order", "order", "Survey", "Other"]), TIMES, PROPERTIES), max_size=12)


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


WINDOWS = """
[orders]
event = "Order"
count = true
[orders_7d]
event = ["Order", "order"]
count = true
within = "7 days"
[revenue_7d]
event = "Order"
sum = "amount"
within = "7 days"
[largest_30d]
event = "Order"
max = "amount"
within = "30 days"
[gifts_30d]
event = "Order"
count = true
within = "30 days"
where = { channel = ["web", "10"] }
[newest_30d]
event = ["Order", "Survey"]
latest = "channel"
type = "text"
within = "30 days"
[answers_1d]
event = "Survey"
distinct = "nps"
within = "1 day"
[nps]
event = "Survey"
latest = "nps"
"""
WHO = ("ada", "bob", "cem", "dan")
# Whose, which, hours before the refresh after which it is known (late ones were missed by earlier refreshes), what.
ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from(WHO),
        st.sampled_from(["Order", "order", "Survey"]),
        st.one_of(st.integers(-72, 24 * 40), st.sampled_from([0, 24, 24 * 7, 24 * 30])),
        PROPERTIES,
    ),
    max_size=6,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=st.lists(st.tuples(st.integers(0, 24 * 9), ARRIVALS), min_size=2, max_size=5))
def test_arrivals_and_windows_that_are_left_in_one_refresh_are_what_a_rebuild_gives(
    database: Database, days: list[Any]
) -> None:
    definitions, now, number = definitions_of(WINDOWS), NOW, 0
    with database.writing() as connection:
        empty(connection)
        prepare(connection, definitions)
        for one in WHO:
            add_customer(connection, one)
        for hours, batch in days:
            now += timedelta(hours=hours)
            for who, name, ago, properties in batch:
                number += 1
                add_event(connection, who, f"e{number:02}", name, now - timedelta(hours=ago), **properties)
            refresh(connection, definitions, ALL, now, now.date())
            assert stored(connection, definitions) == rebuilt(connection, definitions, now)


def empty(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name != "installation":
            connection.execute(table.delete())


def test_only_touched_customers_are_computed(database: Database) -> None:
    definitions = definitions_of()
    with database.writing() as connection:
        prepare(connection, definitions)
        for one in ("ada", "bob", "cem"):
            add_customer(connection, one)
            add_event(connection, one, "1", "Order", NOW - timedelta(days=29), channel="web")
        assert refresh(connection, definitions, ALL, NOW, TODAY) == 3
        assert refresh(connection, definitions, ALL, NOW, TODAY) == 0
        add_event(connection, "bob", "2", "Order", NOW)
        assert refresh(connection, definitions, ALL, NOW, TODAY) == 1
        # A day and an hour later the three orders of 29 days ago have left the window of 30 days.
        assert refresh(connection, definitions, ALL, NOW + timedelta(days=1, hours=1), TODAY) == 3
        assert stored(connection, definitions)["cem"]["web_orders_30d"] == 0


def test_whoever_only_left_a_window_is_computed_but_not_touched(database: Database) -> None:
    definitions, later = definitions_of(), NOW + timedelta(days=2)
    with database.writing() as connection:
        prepare(connection, definitions)
        for one in ("ada", "bob", "cem"):
            add_customer(connection, one)
            add_event(connection, one, "1", "Order", NOW - timedelta(days=29), channel="web")
        refresh(connection, definitions, ALL, NOW, TODAY)
        assert set(connection.execute(select(touched.c.customer_id)).scalars()) == {"ada", "bob", "cem"}
        add_event(connection, "bob", "2", "Order", later, channel="web")
        assert refresh(connection, definitions, ALL, later, TODAY) == 3
        assert set(connection.execute(select(touched.c.customer_id)).scalars()) == {"bob"}
        found = stored(connection, definitions)
    assert {name: row["web_orders_30d"] for name, row in found.items()} == {"ada": 0, "bob": 1, "cem": 0}


def test_whoever_marks_customers_during_a_refresh_waits_for_it_and_is_not_waited_for(database: Database) -> None:
    definitions, later = definitions_of(), NOW + timedelta(days=2)
    first, second = sorted(("ada", "bob"), key=lambda one: (shard_of(one), one))
    with database.writing() as connection:
        prepare(connection, definitions)
        for one in (first, second):
            add_customer(connection, one)
            add_event(connection, one, "1", "Order", NOW - timedelta(days=29), channel="web")
        refresh(connection, definitions, ALL, NOW, TODAY)
        add_event(connection, second, "2", "Order", later)  # while the first only leaves a window

    def arrive() -> None:
        with database.writing() as other:
            for one in (first, second):
                add_event(other, one, "3", "Order", later)

    with ThreadPoolExecutor() as pool, database.writing() as connection:
        arrivals: list[Future[None]] = []

        @listens_for(connection, "before_cursor_execute")
        def _while_facts_are_written(_: Any, __: Any, statement: str, *___: Any) -> None:
            if statement.startswith("INSERT INTO facts (") and not arrivals:
                arrivals.append(pool.submit(arrive))
                wait(arrivals, timeout=0.5)

        refresh(connection, definitions, ALL, later, TODAY)
        connection.commit()
        arrivals[0].result()
    with database.writing() as connection:
        assert refresh(connection, definitions, ALL, later, TODAY) == 2
        assert stored(connection, definitions) == rebuilt(connection, definitions, later)


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
