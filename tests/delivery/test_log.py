"""The send log: every filter, page by page and as a stream, on both databases."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import Shop, at
from sqlalchemy import delete, event, insert

from automation.database.engine import Database
from automation.database.schema import messages, shard_of
from automation.delivery.answers.history import LogFilter
from automation.delivery.answers.log import log_page, log_rows
from automation.delivery.answers.meant import meant

NOON = at("2026-03-02T11:00:00Z")
PEOPLE = ("ada", "bob", "123")
Row = dict[str, Any]


@st.composite
def a_row(draw: st.DrawFn) -> Row:
    status = draw(st.sampled_from(["planned", "sending", "sent", "skipped", "rejected"]))
    return {
        "customer_id": draw(st.sampled_from(PEOPLE)),
        "playbook": draw(st.sampled_from(["care", "win_back"])),
        "step": draw(st.sampled_from(["one", "two"])),
        "channel": draw(st.sampled_from(["email", "sms"])),
        "status": status,
        "reason": draw(st.sampled_from([None, "over_cap", "retry"])),
        # Many were planned by one run, so at one instant.
        "planned_at": NOON - timedelta(hours=draw(st.integers(0, 3))),
        "lease_until": NOON if status == "sending" else None,
    }


a_filter = st.fixed_dictionaries(
    {},
    optional={
        "customer_id": st.sampled_from(PEOPLE),
        "playbook": st.sampled_from(["care", "win_back", "gone"]),
        "step": st.sampled_from(["one", "two"]),
        "channel": st.sampled_from(["email", "sms"]),
        "status": st.sampled_from(["planned", "sending", "sent", "skipped", "failed"]),
        "reason": st.sampled_from(["over_cap", "retry", "erased"]),
        "since": st.just(NOON - timedelta(hours=2)),
        "until": st.just(NOON - timedelta(hours=1)),
    },
)


def fill(database: Database, rows: Sequence[Row]) -> list[Row]:
    """The ledger has these rows and no other; each gets its id."""
    numbered = [
        row
        | {"shard": shard_of(row["customer_id"]), "message_id": (number + 1) * 256 + shard_of(row["customer_id"])}
        | {"enrollment_id": number, "version_id": "v", "kind": "marketing", "topic": "offers", "priority": 50}
        | {"due_at": NOON, "deadline": NOON}
        for number, row in enumerate(rows)
    ]
    with database.writing() as connection:
        connection.execute(delete(messages))
        if numbered:
            connection.execute(insert(messages), numbered)
    return numbered


def expected(rows: Sequence[Row], wanted: dict[str, Any]) -> list[int]:
    """The ids, the newest first, found one by one."""
    found = [one for one in rows if all(_holds(one, name, value) for name, value in wanted.items())]
    found.sort(key=lambda one: (one["planned_at"], one["message_id"]), reverse=True)
    return ids(found)


def _holds(row: Row, name: str, value: Any) -> bool:
    if name == "since":
        return bool(row["planned_at"] >= value)
    return bool(row["planned_at"] <= value if name == "until" else row[name] == value)


def ids(rows: Sequence[Row]) -> list[int]:
    return [row["message_id"] for row in rows]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(a_row(), max_size=25), wanted=a_filter, size=st.integers(1, 6))
def test_pages_show_every_row_of_a_filter_once_and_in_order(
    database: Database, rows: list[Row], wanted: dict[str, Any], size: int
) -> None:
    right = expected(fill(database, rows), wanted)
    with database.reading() as connection:
        page = log_page(connection, LogFilter(**wanted), size)
        seen, pages = ids(page.rows), [page]
        assert page.newer is None
        while page.older is not None:
            page = log_page(connection, LogFilter(**wanted), size, before=page.older)
            seen += ids(page.rows)
            pages.append(page)
        assert seen == right
        while page.newer is not None:
            page = log_page(connection, LogFilter(**wanted), size, after=page.newer)
            pages.pop()
            if page.newer is not None:
                assert len(page.rows) == size
        assert ids(page.rows) == right[:size]
        assert ids(list(log_rows(connection, LogFilter(**wanted), at_once=size, part=3))) == right


def test_what_comes_in_meanwhile_moves_no_row_of_the_next_page(database: Database) -> None:
    rows: list[Row] = [
        {"customer_id": "ada", "playbook": "care", "step": "one", "channel": "email", "status": "sent", "reason": None}
        | {"planned_at": NOON - timedelta(hours=one), "lease_until": None}
        for one in range(6)
    ]
    older = fill(database, rows[2:])
    with database.reading() as connection:
        first = log_page(connection, LogFilter(), 2)
    with database.writing() as connection:
        fresh = [{**older[0], "message_id": 9999 * 256, "enrollment_id": 99, "planned_at": NOON}]
        connection.execute(insert(messages), fresh)
    with database.reading() as connection:
        second = log_page(connection, LogFilter(), 2, before=first.older)
    assert [*ids(first.rows), *ids(second.rows)] == ids(older)


def test_a_limit_longer_than_a_page_is_kept(database: Database) -> None:
    row = {
        "customer_id": "ada",
        "playbook": "care",
        "step": "one",
        "channel": "email",
        "status": "sent",
        "reason": None,
    }
    fill(database, [{**row, "planned_at": NOON, "lease_until": None} for _ in range(9)])
    with database.reading() as connection:
        assert len(list(log_rows(connection, LogFilter(limit=7), at_once=3, part=2))) == 7
        assert len(list(log_rows(connection, LogFilter(limit=2), at_once=3, part=2))) == 2


@pytest.fixture
def found(shop: Shop) -> Callable[[str], set[str]]:
    """Whose messages some words find, in a shop where Ada has moved to another address."""
    shop.write()
    shop.customers("ada", email="New@Example.com", phone="+39 347 123 4567")
    shop.customers("bob", "1280", email=None, phone=None)
    row = {"playbook": "care", "step": "one", "status": "sent", "reason": None, "planned_at": NOON, "lease_until": None}
    fill(
        shop.database,
        [
            {**row, "customer_id": "ada", "channel": "email", "address": "old@example.com", "provider_id": "id-7"},
            {**row, "customer_id": "bob", "channel": "sms", "address": "+12015550123", "provider_id": None},
            {**row, "customer_id": "1280", "channel": "sms", "address": None, "provider_id": None},
        ],
    )

    def find(words: str) -> set[str]:
        with shop.database.reading() as connection:
            what = meant(connection, words)
            rows = log_page(connection, LogFilter(meant=what), 10).rows if what else ()
            return {row["customer_id"] for row in rows}

    return find


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("ada", {"ada"}),
        (" NEW@example.com ", {"ada"}),
        ("old@EXAMPLE.com", {"ada"}),
        ("id-7", {"ada"}),
        ("+39 347 1234567", {"ada"}),
        ("0039-347-123-4567", {"ada"}),
        ("347 123 4567", {"ada"}),
        ("(201) 555-0123", {"bob"}),
        (str(2 * 256 + shard_of("bob")), {"bob"}),
        ("1280", {"1280"}),
        ("nobody", set()),
        ("99999999999999999999999", set()),
        ("a\nb", set()),
        ("%", set()),
        ("", set()),
    ],
)
def test_whatever_a_message_can_be_found_by_finds_it(
    found: Callable[[str], set[str]], words: str, whose: set[str]
) -> None:
    assert found(words) == whose


RARE = (
    {"status": "rejected"},
    {"reason": "erased"},
    {"playbook": "care", "status": "failed"},
    {"channel": "sms", "step": "two", "since": NOON},
)


@pytest.mark.parametrize("wanted", RARE, ids=str)
def test_nothing_is_looked_for_row_by_row(database: Database, wanted: dict[str, Any]) -> None:
    fill(database, [])
    with database.reading() as connection:
        if database.is_sqlite:
            plan = " ".join(_plan(database, lambda: log_page(connection, LogFilter(**wanted), 50)))
            assert "messages_alike" in plan
            assert "SCAN messages" not in plan.replace("SCAN messages USING COVERING INDEX", "")


def _plan(database: Database, ask: Callable[[], Any]) -> list[str]:
    seen: list[tuple[str, Any]] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: seen.append((told[2], told[3])))
    ask()
    with database.reading() as connection:
        return [
            row.detail
            for words, bound in seen[:1]
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", bound)
        ]
