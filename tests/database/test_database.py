"""Opening, upgrading, checking and copying the database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from automation.database.engine import Database, connect
from automation.database.schema import metadata, shard_of
from automation.database.upgrade import SCRIPTS, backup, check, newest, require_current, revision, upgrade
from automation.errors import BadInput, DatabaseUnreachable, WrongSchema


def test_the_migrations_make_exactly_the_tables_of_the_schema(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_the_newest_revision_is_the_one_that_migrations_lead_to(database: Database) -> None:
    assert newest() == ScriptDirectory(str(SCRIPTS)).get_current_head()
    with database.reading() as connection:
        assert revision(connection) == MigrationContext.configure(connection).get_current_revision() == newest()


def test_four_processes_that_start_at_once_migrate_once(database: Database) -> None:
    with database.writing() as connection:
        for name in [*metadata.tables, "alembic_version"]:
            connection.execute(text(f"DROP TABLE {name}"))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: upgrade(database), range(4))) == [newest()] * 4
    with database.reading() as connection:
        assert revision(connection) == newest()
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar() == 1


def test_a_database_without_schema_says_which_command_to_run(tmp_path: Path) -> None:
    database = connect("sqlite:///empty.db", tmp_path)
    with pytest.raises(WrongSchema, match="automation db upgrade"):
        require_current(database)
    assert (
        check(database)[0]
        == f"the database is at revision none, this program needs {newest()}: run `automation db upgrade`"
    )
    database.close()


def test_a_healthy_database_has_no_problems(database: Database) -> None:
    assert check(database) == []


def test_a_missing_table_is_found(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP TABLE outcomes"))
    assert check(database) == ['table "outcomes" is missing: restore a backup']


def test_a_backup_is_a_working_copy_and_never_overwrites(sqlite_url: str, tmp_path: Path) -> None:
    database = connect(sqlite_url)
    target = tmp_path / "copies" / "monday.db"
    assert backup(database, target) > 0
    copy = connect(f"sqlite:///{target}")
    assert check(copy) == []
    copy.close()
    with pytest.raises(BadInput, match="exists already"):
        backup(database, target)
    database.close()


def test_a_write_transaction_that_fails_leaves_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.writing() as connection:
            connection.execute(text("DELETE FROM installation"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM installation")).scalar() == 1


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("SELECT * FROM messages WHERE shard = 1 AND customer_id = 'a'", "messages_of_customer"),
        ("SELECT * FROM enrollments WHERE shard = 1 AND customer_id = 'a'", "enrollments_of_customer"),
        ("SELECT * FROM stage_changes WHERE shard = 1 AND customer_id = 'a'", "stage_changes_of_customer"),
        (
            "SELECT min(time) FROM events WHERE shard = 1 AND customer_id = 'a' AND name = 'x' AND time > 5",
            "PRIMARY KEY",
        ),
        ("SELECT * FROM messages WHERE shard = 1 AND enrollment_id = 7", "sqlite_autoindex_messages_2"),
        ("SELECT * FROM messages WHERE status = 'planned' AND channel = 'sms' AND due_at <= 5 LIMIT 9", "messages_due"),
        ("SELECT * FROM messages WHERE shard IN (1, 2) AND status = 'planned' AND due_at < 5", "messages_planned"),
        ("SELECT * FROM messages WHERE status = 'sending' AND lease_until < 5", "messages_in_flight"),
        ("SELECT customer_id FROM events WHERE shard IN (1, 2) AND time > 5 AND time <= 9", "events_by_time"),
    ],
)
def test_an_empty_sqlite_database_already_plans_like_a_large_one(sqlite_url: str, query: str, index: str) -> None:
    database = connect(sqlite_url)
    with database.reading() as connection:
        plan = " ".join(row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    database.close()
    assert index in plan


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "nonsense", "sqlite:///:memory:"])
def test_a_wrong_url_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(BadInput, match="sqlite:///"):
        connect(url)


def test_an_unreachable_server_is_named_without_its_password() -> None:
    with pytest.raises(DatabaseUnreachable) as caught:
        connect("postgresql://user:hush@127.0.0.1:1/name")
    assert "127.0.0.1:1" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_shard_is_the_same_in_every_release() -> None:
    assert [shard_of(one) for one in ("a", "cdnow-00004", "żółw")] == [67, 66, 222]
