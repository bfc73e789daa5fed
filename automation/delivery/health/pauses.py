"""What is paused, as rows, so that every worker knows; and which provider of a channel is fit to send."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, case, false, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.brake import pull_brake
from automation.database.work import pauses
from automation.settings import Settings

PAUSE = timedelta(minutes=5)


def scope_of(provider: str) -> str:
    return f"provider:{provider}"


def fit_provider(connection: Connection, settings: Settings, channel: str, now: datetime) -> str | None:
    """The first provider of the channel that is not paused."""
    paused = _paused_until(connection, now)
    return next((key for key in settings.channel(channel).providers if scope_of(key) not in paused), None)


def free_at(connection: Connection, settings: Settings, channel: str, now: datetime) -> datetime:
    """When the first of the channel's paused providers may be tried again."""
    paused = _paused_until(connection, now)
    ends = [
        paused[scope_of(key)] or now + PAUSE for key in settings.channel(channel).providers if scope_of(key) in paused
    ]
    return min(ends, default=now + PAUSE)


def _paused_until(connection: Connection, now: datetime) -> dict[str, datetime | None]:
    found = select(pauses.c.scope, pauses.c.until).where(or_(pauses.c.until.is_(None), pauses.c.until > now))
    return dict(connection.execute(found).all())


def paused_until(connection: Connection, provider: str, now: datetime) -> datetime | None:
    """When a paused provider may be tried again; None when it is not paused."""
    paused = _paused_until(connection, now)
    return (paused[scope_of(provider)] or now + PAUSE) if scope_of(provider) in paused else None


def pause_of(connection: Connection, scope: str, now: datetime) -> Row[Any] | None:
    """Reason, since and until of the scope's own pause, while it is in force."""
    own = select(pauses).where(pauses.c.scope == scope, or_(pauses.c.until.is_(None), pauses.c.until > now))
    return connection.execute(own).one_or_none()


def pause(connection: Connection, scope: str, reason: str, now: datetime, until: datetime | None) -> None:
    """Never shortens a pause: what a person or a longer trouble has stopped stays so."""
    stands: ColumnElement[bool] = pauses.c.until.is_(None)
    if until is not None:
        stands = or_(stands, pauses.c.until >= until)
    _set(connection, scope, reason, now, until, stands)


def pause_until(connection: Connection, scope: str, reason: str, now: datetime, until: datetime | None) -> None:
    """Whatever was said before."""
    _set(connection, scope, reason, now, until, false())


def _set(
    connection: Connection,
    scope: str,
    reason: str,
    now: datetime,
    until: datetime | None,
    stands: ColumnElement[bool],
) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(pauses).values(scope=scope, reason=reason, since=now, until=until)
    ongoing = or_(pauses.c.until.is_(None), pauses.c.until > now)
    changed = {
        "reason": case((stands, pauses.c.reason), else_=new.excluded.reason),
        "until": case((stands, pauses.c.until), else_=new.excluded.until),
        "since": case((ongoing, pauses.c.since), else_=new.excluded.since),
    }
    connection.execute(new.on_conflict_do_update(index_elements=["scope"], set_=changed))
    pull_brake(connection)
