"""Refreshing facts: arrivals, windows that are left, marks, and who is computed."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Any

from fact_rows import ALL, NOW, PROPERTIES, TODAY, add_customer, add_event, definitions_of, empty, rebuilt, stored
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.event import listens_for

from automation.customers.facts.refresh import prepare, refresh, touched
from automation.database.engine import Database
from automation.database.schema import shard_of

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


def test_two_events_of_one_customer_may_leave_the_only_window_together(database: Database) -> None:
    definitions = definitions_of('[recent]\nevent = "Order"\ncount = true\nwithin = "30 days"\n')
    with database.writing() as connection:
        prepare(connection, definitions)
        add_customer(connection, "ada")
        for number in "12":
            add_event(connection, "ada", number, "Order", NOW - timedelta(days=29))
        refresh(connection, definitions, ALL, NOW, TODAY)
        assert stored(connection, definitions)["ada"]["recent"] == 2
        assert refresh(connection, definitions, ALL, NOW + timedelta(days=2), TODAY) == 1
        assert stored(connection, definitions)["ada"]["recent"] == 0


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
