"""Importing events: each id once, before or after their customer."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import FromClause, func, select, update
from sqlalchemy.engine import Connection

from automation.customers import event_batch
from automation.customers.load import EventsImported, import_customers, import_events
from automation.database.engine import Database
from automation.database.schema import customers, events, shard_of

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
Import = Callable[..., EventsImported]


@pytest.fixture
def imported(database: Database, tmp_path: Path) -> Import:
    """Import these (event id, customer id) pairs."""

    def run(*pairs: tuple[str, str], name: str = "order") -> EventsImported:
        file = tmp_path / "events.jsonl"
        rows = [
            {"event_id": event, "customer_id": customer, "type": name, "ts": "2026-01-31T10:00:00.25+01:00", "n": 1.5}
            for event, customer in pairs
        ]
        file.write_text("\n".join(map(json.dumps, rows)) + "\n")
        return import_events(database, file, NOW)

    return run


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []

    def remember(connection: Connection, staged: FromClause) -> None:
        seen.extend(sorted(connection.execute(select(staged.c.customer_id).distinct()).scalars()))

    monkeypatch.setattr(event_batch, "touch", remember)
    return seen


def test_an_event_is_kept_as_it_was_told(imported: Import, database: Database) -> None:
    assert imported(("e1", "a")).as_dict() == {
        "read": 1,
        "created": 1,
        "duplicates": 0,
        "rejected": 0,
        "rejects_file": None,
    }
    with database.reading() as connection:
        found = connection.execute(select(events)).one()
    when = datetime(2026, 1, 31, 9, 0, 0, 250000, UTC)
    assert tuple(found) == (shard_of("a"), "a", "e1", "order", when, {"n": 1.5})


def test_the_first_event_of_an_id_wins(imported: Import, database: Database) -> None:
    found = imported(("e1", "a"), ("e2", "a"), ("e1", "a"))
    assert (found.read, found.created, found.duplicates) == (3, 2, 1)
    again = imported(("e1", "a"), ("e3", "a"), name="refund")
    assert (again.created, again.duplicates) == (1, 1)
    with database.reading() as connection:
        names = connection.execute(select(events.c.event_id, events.c.name).order_by(events.c.event_id)).all()
    assert [tuple(row) for row in names] == [("e1", "order"), ("e2", "order"), ("e3", "refund")]


def test_an_event_may_come_before_its_customer(imported: Import, database: Database, tmp_path: Path) -> None:
    imported(("e1", "a"))
    with database.reading() as connection:
        found = connection.execute(select(customers)).one()
    assert (found.customer_id, found.email, found.signup_at, found.attributes) == ("a", None, None, {})
    file = tmp_path / "customers.csv"
    file.write_text("id,email\na,a@example.com\n")
    assert import_customers(database, file, NOW).updated == 1


def test_an_event_changes_nothing_about_a_known_customer(imported: Import, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("id,email,plan\na,a@example.com,gold\n")
    import_customers(database, file, NOW)
    imported(("e1", "a"))
    with database.reading() as connection:
        found = connection.execute(select(customers)).one()
    assert (found.email, found.attributes) == ("a@example.com", {"plan": "gold"})


def test_only_customers_with_new_events_are_touched(imported: Import, touched: list[str]) -> None:
    imported(("e1", "a"), ("e2", "b"))
    imported(("e1", "a"), ("e2", "b"))
    imported(("e1", "a"), ("e3", "b"))
    assert touched == ["a", "b", "b"]


def test_an_erased_customer_gets_no_events(imported: Import, database: Database) -> None:
    imported(("e1", "a"))
    with database.writing() as connection:
        connection.execute(update(customers).values(erased_at=NOW))
    found = imported(("e2", "a"), ("e3", "b"), ("e2", "a"), ("e3", "b"))
    assert (found.created, found.duplicates, found.rejected) == (1, 1, 2)
    with database.reading() as connection:
        assert sorted(connection.execute(select(events.c.event_id)).scalars()) == ["e1", "e3"]


def test_csv_and_json_lines_of_the_same_events_are_the_same_rows(database: Database, tmp_path: Path) -> None:
    rows = [
        {"messageId": f"m{n}", "event": "Order", "userId": "u", "timestamp": "2026-01-01T00:00:00Z", "sum": n / 4}
        for n in range(5)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    cells = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
    (tmp_path / "b.csv").write_text("\r\n".join(cells).replace(",u,", ",v,"))
    import_events(database, tmp_path / "a.jsonl", NOW)
    import_events(database, tmp_path / "b.csv", NOW)
    columns = (events.c.event_id, events.c.name, events.c.time, events.c.properties)
    with database.reading() as connection:
        one, other = (
            connection.execute(select(*columns).where(events.c.customer_id == who).order_by(events.c.event_id)).all()
            for who in "uv"
        )
    assert [tuple(row)[2:] for row in one][1:] == [tuple(row)[2:] for row in other][1:]
    assert len(one) == len(other) == 5


def test_the_validation_data_import_whole(database: Database, shared: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes((shared / "data" / "cdnow_sample" / "events.jsonl").read_bytes())
    assert import_events(database, file, NOW).created == 6919
    assert import_events(database, file, NOW).duplicates == 6919
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(customers)).scalar() == 2357
