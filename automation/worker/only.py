"""One worker for a SQLite database: two would wait for each other's writes all day and send no faster."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from automation.database.engine import Database
from automation.errors import SecondWorker


@contextmanager
def only_worker(database: Database) -> Iterator[None]:
    """Hold the database as its worker; the system lets go of it when the process ends, however it ends.

    On PostgreSQL several may work. Raises SecondWorker.
    """
    if not database.is_sqlite:
        yield
        return
    with open(f"{database.engine.url.database}-worker", "wb") as file:  # noqa: PTH123 (a URL's text, no path of ours)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SecondWorker from None
        yield
