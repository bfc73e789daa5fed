"""Words that several commands take, and what they open."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from automation.clock import wall_clock
from automation.database.engine import Database, open_database
from automation.database.upgrade import upgrade
from automation.errors import BadInput, RealProviderInSimulatedTime
from automation.settings import Settings, load
from automation.values import instant

Config = Annotated[Path, typer.Option("--config", help="The configuration file; paths in it are relative to it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
Now = Annotated[
    str | None, typer.Option("--now", metavar="INSTANT", help="Replace the clock, such as 2026-01-31T09:00:00Z.")
]
CONFIG = Path("config.toml")


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
