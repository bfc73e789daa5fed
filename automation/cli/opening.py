"""What the commands' words stand for: settings, the database, an instant."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from automation.clock import wall_clock
from automation.database.engine import Database, open_database
from automation.database.upgrade import upgrade
from automation.errors import BadInput, RealProviderInSimulatedTime
from automation.settings import Settings, load
from automation.values import instant


def settings_of(config: Path) -> Settings:
    if not config.is_file():
        raise BadInput(f"there is no {config}; `automation init DIR` makes a starter, or name one with --config")
    return load(config)


@contextmanager
def database_of(settings: Settings) -> Iterator[Database]:
    """The database, with its schema brought up to date."""
    database = open_database(settings)
    try:
        upgrade(database)
        yield database
    finally:
        database.close()


def instant_of(text: str, option: str = "--now") -> datetime:
    try:
        return instant(text)
    except ValueError as error:
        raise BadInput(f"{option}: {error}") from None


def now_of(text: str | None, settings: Settings) -> datetime:
    """The clock, or --now, which is refused while a real provider is configured: nothing is sent in a made-up time."""
    if text is None:
        return wall_clock()
    if settings.real_providers:
        names = ", ".join(settings.real_providers)
        raise RealProviderInSimulatedTime(f"{RealProviderInSimulatedTime()} ({names})")
    return instant_of(text)
