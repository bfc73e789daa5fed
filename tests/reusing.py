"""What the tests of one process use again: a PostgreSQL database with its connections, emptied or, when a test changed
its schema, made anew; the text of each statement; and the console's pages as they were compiled.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, cast

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Connection, Dialect, QueuePool, create_engine, event, text
from sqlalchemy.util import LRUCache

from automation.database.engine import Database, connect

# Whoever a test left behind may hold locks. Told to wait for it, the function looks ten times a second.
OTHERS = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL (:ours)"""
EMPTY = """DO $$
DECLARE one record;
BEGIN
    SET LOCAL session_replication_role = replica;  -- no trigger is asked
    FOR one IN SELECT relname, pg_relation_size(oid) AS size, reltuples FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'alembic_version'
    LOOP
        -- The planner takes a table that nobody counted for one of ten pages, as long as it has no more than that.
        IF one.size > 10 * 8192 OR one.reltuples >= 0 THEN
            EXECUTE format('TRUNCATE %I', one.relname);
        ELSIF one.size > 0 THEN
            EXECUTE format('DELETE FROM %I', one.relname);
        END IF;
    END LOOP;
    FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one.sequencename);
    END LOOP;
END $$"""
TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
SCHEMA = """SELECT md5(string_agg(told, ' ' ORDER BY told)) FROM (
    SELECT relname || relkind::text || relnatts AS told FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT conname || conrelid::regclass FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT tgname || tgenabled::text FROM pg_trigger
) AS every"""
INSTALLED = "INSERT INTO installation (key) VALUES (:key)"
DIALECTS: dict[str, Dialect] = {}
STATEMENTS: LRUCache[Any, Any] = LRUCache(2000)


def for_a_test(database: Database) -> Database:
    """A database as it is for a process that runs for months: what was asked before is not compiled again.

    What a power cut does to a disk is not asked, so that nobody waits for one.
    """
    engine = database.engine
    engine.dialect = DIALECTS.setdefault(engine.dialect.name, engine.dialect)  # a part of each statement's key
    engine.update_execution_options(compiled_cache=STATEMENTS)
    if database.is_sqlite:
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
        engine.dispose()
    return database


class Pages(BytecodeCache):
    """By name and text."""

    def __init__(self) -> None:
        self.compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self.compiled[bucket.key, bucket.checksum] = bucket.code


@dataclass
class Reused:
    """`make` gives the URL of a new database with the schema in place."""

    make: Callable[[], str]
    url: str = ""
    connection: Connection | None = None
    warm: Database | None = None
    pids: set[int] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    schema: str = ""
    key: str = ""

    def opened(self) -> Database:
        """With the connections that an earlier test opened. Who listens to this one hears of no other test."""
        if self.warm is None:
            self.warm = for_a_test(connect(self.url))
            event.listen(self.warm.engine, "connect", lambda made, _: self.pids.add(made.info.backend_pid))
            self.warm.close()
        return Database(self.warm.engine.execution_options())

    def emptied(self) -> str:
        if self.warm is not None and cast("QueuePool", self.warm.engine.pool).checkedout():
            self._cool()
        if self.connection is None or not self._is_as_new(self.connection):
            self._renew()
        return self.url

    def _renew(self) -> None:
        self.close()
        self.url = self.make()
        connection = self.connection = create_engine(self.url, isolation_level="AUTOCOMMIT").connect()
        self.tables = set(connection.execute(text(TABLES)).scalars())
        self.schema = connection.execute(text(SCHEMA)).scalar_one()
        self.key = connection.execute(text("SELECT key FROM installation")).scalar_one()

    def _cool(self) -> None:
        if self.warm is not None:
            self.warm.close()
        self.warm = None
        self.pids.clear()

    def close(self) -> None:
        self._cool()
        if self.connection is not None:
            self.connection.close()
            self.connection.engine.dispose()

    def _is_as_new(self, connection: Connection) -> bool:
        while connection.execute(text(OTHERS), {"ours": [*self.pids]}).scalar_one():
            time.sleep(0.002)
        for name in set(connection.execute(text(TABLES)).scalars()) - self.tables:  # facts, which a run makes
            connection.execute(text(f'DROP TABLE "{name}"'))
        if connection.execute(text(SCHEMA)).scalar_one() != self.schema:
            return False
        connection.execute(text(EMPTY))
        connection.execute(text(INSTALLED), {"key": self.key})
        return True
