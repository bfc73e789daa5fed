"""Two writers that wait for each other: PostgreSQL ends one of them, and nobody outside notices."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import Connection, literal, select, text

from automation.database.engine import Database, lock_shards

COUNTED = text("UPDATE installation SET brake = brake + 1")


def test_of_two_writers_in_a_circle_both_get_their_work_done_once(database: Database) -> None:
    if database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    both = Barrier(2, timeout=5)

    def cross(first: int, second: int) -> None:
        def work(connection: Connection) -> None:
            connection.execute(text("SET LOCAL deadlock_timeout = '50ms'"))
            _lock(connection, first)
            with suppress(BrokenBarrierError):  # at the second try the other is through
                both.wait()
            _lock(connection, second)
            connection.execute(COUNTED)

        database.write(work)
        both.abort()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(cross, (1, 2), (2, 1)))
    with database.reading() as connection:
        assert connection.execute(text("SELECT brake FROM installation")).scalar_one() == 2


def test_what_fails_otherwise_is_not_tried_again(database: Database) -> None:
    tries = []

    def work(connection: Connection) -> None:
        tries.append(1)
        connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(Exception, match="nowhere") as failed:
        database.write(work)
    assert tries == [1]
    assert not isinstance(failed.value, AssertionError)


def _lock(connection: Connection, shard: int) -> None:
    lock_shards(connection, select(literal(shard).label("shard")).subquery())
