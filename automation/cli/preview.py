"""The database for `automation preview`, as it is."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from automation.cli.check import existing_database
from automation.database.upgrade import require_current
from automation.settings import Settings


@contextmanager
def looking_at(settings: Settings, customer: str | None) -> Iterator[Connection | None]:
    """A look at a template makes no database and changes none."""
    if customer is None:
        yield None
        return
    with existing_database(settings) as database:
        if database is None:
            yield None
            return
        require_current(database)
        with database.reading() as connection:
            yield connection
