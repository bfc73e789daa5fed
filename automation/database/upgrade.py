"""Migrations under a lock, integrity, and an online copy."""

import os
import secrets
import sqlite3
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection

from automation.database.engine import Database, lock
from automation.database.schema import installation
from automation.database.statistics import assume_statistics
from automation.database.tables import metadata
from automation.errors import BackupFailed, BadInput, WrongSchema

SCRIPTS = Path(__file__).parent / "migrations"
QUICK = 256_000_000  # bytes


def upgrade(database: Database) -> str:
    """Bring the schema to this program's revision; several processes may start at once. Returns the revision.

    Raises WrongSchema for a database that a newer program made.
    """
    with database.reading() as connection:
        found = revision(connection)
    if found == newest():
        return newest()
    if not _is_known(found):
        raise WrongSchema(_difference(found))
    with database.writing() as connection:
        lock(connection, "migrations")
        if revision(connection) != newest():
            _migrate(connection)
            _install(connection)
    if database.is_sqlite:
        database.close()  # the planner reads its statistics when a connection opens
    return newest()


def require_current(database: Database) -> None:
    """Raise WrongSchema unless the database is at this program's revision."""
    with database.reading() as connection:
        found = revision(connection)
    if found != newest():
        raise WrongSchema(_difference(found))


def _difference(found: str | None) -> str:
    return f"the database is at revision {found or 'none'}, this program needs {newest()}: {next_move(found)}"


def next_move(found: str | None) -> str:
    """What to do about a database that is at another revision than this program."""
    return "run `automation db upgrade`" if _is_known(found) else "a newer program made it; install that one"


def _is_known(found: str | None) -> bool:
    return found is None or found in _revisions()


def revision(connection: Connection) -> str | None:
    """The database's own; None when it has no schema yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def newest() -> str:
    """This program's own."""
    return max(_revisions())


def _revisions() -> set[str]:
    """They are counted up, and each is the beginning of its file's name."""
    return {file.name.partition("_")[0] for file in (SCRIPTS / "versions").glob("[0-9]*.py")}


def _migrate(connection: Connection) -> None:
    # A sixth of the start of every command, for what happens once a release.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _install(connection: Connection) -> None:
    if connection.execute(select(installation.c.key)).first() is None:
        connection.execute(insert(installation), {"key": secrets.token_hex(32)})
    if connection.dialect.name == "sqlite":
        assume_statistics(connection)


def check(database: Database) -> list[str]:
    """What is wrong with the database file or schema; an empty list is good news."""
    with database.reading() as connection:
        found = revision(connection)
        problems = [] if found == newest() else [_difference(found)]
        problems += missing_tables(connection)
        if database.is_sqlite:
            rows = connection.execute(text("PRAGMA integrity_check(20)")).scalars()
            problems += [row for row in rows if row != "ok"]
            broken = connection.execute(text("PRAGMA foreign_key_check")).all()
            problems += [f"a row of {row[0]} points to nothing" for row in broken]
        else:
            invalid = text("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
            problems += [f"index {name} is invalid: REINDEX it" for name in connection.execute(invalid).scalars()]
    return problems


def quick_check(database: Database) -> list[str]:
    """What a quick look finds: for whoever starts after a crash and must not wait.

    PRAGMA quick_check reads the whole file, some 1 GB a second from memory and a tenth of that from a slow disk, so a
    large file is not looked at: SQLite itself says so when it meets a damaged page, and `check` is thorough.
    """
    with database.reading() as connection:
        problems = missing_tables(connection)
        if database.is_sqlite and Path(database.engine.url.database or "").stat().st_size <= QUICK:
            rows = connection.execute(text("PRAGMA quick_check(20)")).scalars()
            problems += [row for row in rows if row != "ok"]
    return problems


def missing_tables(connection: Connection) -> list[str]:
    present = set(inspect(connection).get_table_names())
    return [f'table "{name}" is missing: restore a backup' for name in sorted(set(metadata.tables) - present)]


def backup(database: Database, target: Path) -> int:
    """Copy the database while it is in use. Returns the copy's size in bytes. Raises BadInput.

    The copy has its name only when it is whole.
    """
    if target.exists():
        raise BadInput(f"{target} exists already; name a new file")
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"")
        _copy_sqlite(database, part) if database.is_sqlite else _dump_postgres(database, part)
        part.rename(target)
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {(error.strerror or 'unknown').lower()}") from None
    except sqlite3.Error as error:
        raise BackupFailed(f"{target}: {error}. {BackupFailed()}") from None
    finally:
        _remove(part)
    return target.stat().st_size


def _remove(part: Path) -> None:
    with suppress(OSError):
        part.unlink()


def _copy_sqlite(database: Database, target: Path) -> None:
    with database.engine.connect() as connection, sqlite3.connect(target) as copy:
        source = cast("DBAPIConnection", connection.connection.dbapi_connection)
        cast("sqlite3.Connection", source).backup(copy)
    copy.close()


def _dump_postgres(database: Database, target: Path) -> None:
    # The password goes by the environment: everybody on the machine may read a process's arguments.
    url = database.engine.url.set(drivername="postgresql", password=None).render_as_string()
    password = _password(database)
    environment = {**os.environ, "PGPASSWORD": password} if password else None
    command = ["pg_dump", "--format=custom", f"--file={target}", url]
    try:
        subprocess.run(command, check=True, capture_output=True, env=environment)  # noqa: S603 (the user's own pg_dump)
    except FileNotFoundError:
        raise BadInput("pg_dump is not on the PATH; install PostgreSQL's client programs") from None
    except subprocess.CalledProcessError as error:
        raise BadInput(f"pg_dump failed: {error.stderr.decode().strip()}") from None


def _password(database: Database) -> str | None:
    """The one the connections use, whether it came by the URL or by the environment."""
    with database.engine.connect() as connection:
        found: str | None = cast("Any", connection.connection.dbapi_connection).info.password
    return found or None
