"""What the commands' words stand for: settings, the database, an instant."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from automation.clock import day_start, wall_clock
from automation.database.engine import Database, open_database
from automation.database.upgrade import upgrade
from automation.errors import BadInput, RealProviderInSimulatedTime
from automation.settings import Settings, load
from automation.values import instant


def settings_of(config: Path) -> Settings:
    if config.is_dir():
        raise BadInput(f"{config} is a folder; name the file in it, such as --config {config / 'config.toml'}")
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
        told = f"--now replaces the clock, and not on this machine is {names}"
        raise RealProviderInSimulatedTime(f"{told}: point base_url at the sandbox, or leave out --now")
    return instant_of(text)


def start_of(text: str | None, zone: ZoneInfo) -> datetime | None:
    """What --since says: an instant, or the beginning of a local date."""
    day = _date(text)
    if day is not None:
        return day_start(day, zone)
    return None if text is None else instant_of(text, "--since")


def end_of(text: str | None, zone: ZoneInfo) -> datetime | None:
    """What --until says: an instant, or the end of a local date."""
    day = _date(text)
    if day is not None:
        return day_start(day + timedelta(days=1), zone) - timedelta(microseconds=1)
    return None if text is None else instant_of(text, "--until")


def date_of(text: str | None, option: str) -> date | None:
    """What --since or --until says where only whole local dates make sense."""
    if text is not None and _date(text) is None:
        raise BadInput(f'{option}: "{text}" is no date; write one like 2026-01-31')
    return _date(text)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("2026-01-31") else None
    except ValueError:
        raise BadInput(f'"{text}" is no date; write one like 2026-01-31') from None
