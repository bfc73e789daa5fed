"""The audit log only grows, and a row that was changed, taken out or put in shows."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError

from automation.database.audit import ONLY_GROWS, REFUSED, broken_links, note
from automation.database.engine import Database
from automation.database.schema import audit_log

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def log(database: Database) -> Database:
    """Four things that people did, one of them with an end."""
    for number in range(4):
        with database.writing() as connection:
            until = NOON + timedelta(hours=1) if number == 2 else None
            note(connection, "Ada", "pause", f"playbook:p{number}", "Grüße, ünïcode", NOON, until)
    return database


def numbers(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(connection.execute(select(audit_log.c.number).order_by(audit_log.c.number)).scalars())


def broken(database: Database) -> list[int]:
    with database.reading() as connection:
        return list(broken_links(connection))


def by_its_owner(database: Database, change: object) -> None:
    """Whoever owns the database takes the triggers away first."""
    with database.writing() as connection:
        if database.is_sqlite:
            for act in ("update", "delete"):
                connection.execute(text(f"DROP TRIGGER audit_log_{act}"))
        else:
            connection.execute(text("ALTER TABLE audit_log DISABLE TRIGGER ALL"))
        connection.execute(change)  # type: ignore[call-overload]


def test_a_log_that_nobody_touched_is_whole(log: Database) -> None:
    assert len(numbers(log)) == 4
    assert broken(log) == []


@pytest.mark.parametrize("change", [update(audit_log).values(note="nothing"), delete(audit_log)])
def test_a_row_can_neither_be_changed_nor_deleted(log: Database, change: object) -> None:
    with pytest.raises(DBAPIError, match=REFUSED), log.writing() as connection:
        connection.execute(change)  # type: ignore[call-overload]
    assert broken(log) == []
    assert len(numbers(log)) == 4


@pytest.mark.parametrize("column", ["actor", "act", "about", "note", "recorded_at", "until", "hash"])
def test_a_change_of_any_word_shows_where_it_was_made(log: Database, column: str) -> None:
    changed = numbers(log)[1]
    value = NOON + timedelta(seconds=1) if column in {"recorded_at", "until"} else "somebody else"
    by_its_owner(log, update(audit_log).where(audit_log.c.number == changed).values({column: value}))
    assert broken(log)[0] == changed


def test_a_row_that_was_taken_out_shows_at_the_next(log: Database) -> None:
    first, second, *_ = numbers(log)
    by_its_owner(log, delete(audit_log).where(audit_log.c.number == first))
    assert broken(log) == [second]


def test_a_row_that_was_put_in_by_hand_shows(log: Database) -> None:
    made_up = {"recorded_at": NOON, "actor": "Eve", "act": "resume", "about": "everything", "note": ""}
    with log.writing() as connection:
        connection.execute(insert(audit_log), made_up)
    assert broken(log) == [max(numbers(log))]


def test_both_databases_have_a_rule_for_it() -> None:
    assert set(ONLY_GROWS) == {"sqlite", "postgresql"}
