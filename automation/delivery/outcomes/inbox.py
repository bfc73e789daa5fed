"""Calls of providers are kept as they came and answered; what they tell is worked out afterwards."""

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from automation.database.engine import Database
from automation.database.hooks import hook_calls
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.hooks import HOOKS, Event, HookCall, InboundText, Told
from automation.delivery.outcomes.take import Taken, match_late, take
from automation.delivery.outcomes.texts import hear
from automation.delivery.writer import AWAY
from automation.faultpoints import reach
from automation.settings import Settings

log = logging.getLogger(__name__)
KEPT = timedelta(days=30)
SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})
FORGOTTEN_AT_ONCE = 1000
AT_ONCE = 200  # events in a transaction
WAITING = hook_calls.c.processed_at.is_(None)


def keep_call(connection: Connection, provider: str, call: HookCall, now: datetime) -> None:
    """It is genuine; once this is committed it may be answered."""
    row = {
        "provider": provider,
        "received_at": now,
        "method": call.method,
        "url": call.url,
        "headers": {name: value for name, value in call.headers.items() if name not in SECRET},
        "body": call.body,
    }
    connection.execute(insert(hook_calls), row)


def process(database: Database, settings: Settings, clock: Callable[[], datetime]) -> Taken:
    """Everything that waits. What nobody understands is put aside with its problem."""
    return sum(steps(database, settings, clock), Taken())


def is_worked_out(database: Database) -> bool:
    """Whether no call waits."""
    return _next(database) is None


def steps(database: Database, settings: Settings, clock: Callable[[], datetime]) -> Iterator[Taken]:
    """Likewise, a short transaction at each step, so that nobody waits long for the database."""
    while (row := _next(database)) is not None:
        problem = None
        try:
            yield from _take(database, settings, row.provider, _told(settings, row), clock())
            reach("hook_taken")
        except AWAY:
            raise
        except IntegrityError as error:  # another process came between; at the second try it is there already
            problem = yield from _second_try(database, settings, row, clock(), error)
        except Exception as error:
            log.exception("a provider's call cannot be processed; it is put aside")
            problem = type(error).__name__
        with database.writing() as connection:
            mine = update(hook_calls).where(hook_calls.c.number == row.number)
            connection.execute(mine.values(processed_at=clock(), problem=problem))
            if problem is not None:
                words = f"a call of {row.provider} was kept and cannot be read ({problem}); the log tells more"
                open_incident(connection, "call_not_read", f"provider:{row.provider}", words, clock())


def _second_try(
    database: Database, settings: Settings, row: Row[Any], now: datetime, first: IntegrityError
) -> Generator[Taken, None, str | None]:
    try:
        yield from _take(database, settings, row.provider, _told(settings, row), now)
    except IntegrityError:
        log.exception("a provider's call cannot be processed; it is put aside")
        return type(first).__name__
    return None


def keep_house(database: Database, settings: Settings, now: datetime) -> None:
    """Match what came before its message was known, and forget calls that are long done."""
    for provider in settings.providers:
        with database.writing() as connection:
            match_late(connection, provider, now)
    old = select(hook_calls.c.number).where(hook_calls.c.received_at < now - KEPT, ~WAITING)
    with database.writing() as connection:
        numbers = old.order_by(hook_calls.c.received_at).limit(FORGOTTEN_AT_ONCE)
        connection.execute(delete(hook_calls).where(hook_calls.c.number.in_(numbers)))


def _next(database: Database) -> Row[Any] | None:
    """Two who take the same at once do no harm: everything may be done twice."""
    with database.reading() as connection:
        waiting = select(hook_calls).where(WAITING).order_by(hook_calls.c.number).limit(1)
        return connection.execute(waiting).one_or_none()


def _told(settings: Settings, row: Row[Any]) -> Sequence[Told]:
    provider = settings.providers.get(row.provider)
    hook = HOOKS.get(provider.kind) if provider else None
    return hook.told(HookCall(row.method, row.url, row.headers, row.body)) if hook else ()


def _take(
    database: Database, settings: Settings, provider: str, told: Sequence[Told], now: datetime
) -> Iterator[Taken]:
    for start in range(0, len(told), AT_ONCE):
        part = told[start : start + AT_ONCE]
        for text in (one for one in part if isinstance(one, InboundText)):
            with database.writing() as connection:
                hear(connection, settings, provider, text, now)
        with database.writing() as connection:
            events = [one for one in part if isinstance(one, Event)]
            taken = take(connection, provider, events, now, settings.providers[provider].channel)
        yield taken
