"""Calls of providers are kept as they came and answered; what they tell is worked out afterwards."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from automation.database.engine import Database
from automation.database.hooks import hook_calls
from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey, InboundText
from automation.delivery.outcomes.take import Taken, match_late, take
from automation.delivery.outcomes.texts import hear
from automation.delivery.providers import SANDBOX_TOKEN
from automation.settings import Provider, Settings

log = logging.getLogger(__name__)
KEPT = timedelta(days=30)
SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})
FORGOTTEN_AT_ONCE = 1000
WAITING = hook_calls.c.processed_at.is_(None)


def key_of(provider: Provider) -> HookKey:
    """What this provider's calls are checked with."""
    token, secret = (one.get_secret_value() if one else None for one in (provider.token, provider.webhook_secret))
    if token is None and provider.is_loopback:
        token = SANDBOX_TOKEN
    return HookKey(token=token, secret=secret, public=provider.webhook_key)


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
    """Everything that waits, a call at a time. One that nobody understands is put aside with its problem."""
    total = Taken()
    while (done := _process_next(database, settings, clock())) is not None:
        total += done
    return total


def keep_house(database: Database, settings: Settings, now: datetime) -> None:
    """Match what came before its message was known, and forget calls that are long done."""
    for provider in settings.providers:
        with database.writing() as connection:
            match_late(connection, provider, now)
    old = select(hook_calls.c.number).where(hook_calls.c.received_at < now - KEPT, ~WAITING)
    with database.writing() as connection:
        numbers = old.order_by(hook_calls.c.received_at).limit(FORGOTTEN_AT_ONCE)
        connection.execute(delete(hook_calls).where(hook_calls.c.number.in_(numbers)))


def _process_next(database: Database, settings: Settings, now: datetime) -> Taken | None:
    """None when nothing waits."""
    number: int | None = None
    try:
        with database.writing() as connection:
            next_one = select(hook_calls).where(WAITING).order_by(hook_calls.c.number).limit(1)
            row = connection.execute(next_one.with_for_update(skip_locked=True)).one_or_none()
            if row is None:
                return None
            number = row.number
            taken = _take(connection, settings, row, now)
            _done(connection, row.number, None, now)
            return taken
    except DatabaseError:
        raise
    except Exception as error:
        log.exception("a provider's call cannot be processed; it is put aside")
        with database.writing() as connection:
            _done(connection, number, type(error).__name__, now)
        return Taken()


def _done(connection: Connection, number: int | None, problem: str | None, now: datetime) -> None:
    done = update(hook_calls).where(hook_calls.c.number == number)
    connection.execute(done.values(processed_at=now, problem=problem))


def _take(connection: Connection, settings: Settings, row: Row[Any], now: datetime) -> Taken:
    provider = settings.providers.get(row.provider)
    hook = HOOKS.get(provider.kind) if provider else None
    if hook is None:
        return Taken()
    told = hook.told(HookCall(row.method, row.url, row.headers, row.body))
    for text in (one for one in told if isinstance(one, InboundText)):
        hear(connection, row.provider, text, now)
    return take(connection, row.provider, [one for one in told if isinstance(one, Event)], now)
