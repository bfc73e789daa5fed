"""What is paused, as rows, so that every worker knows; and which provider of a channel is fit to send."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, case, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.brake import pull_brake
from automation.database.schema import pauses
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


def pause(connection: Connection, scope: str, reason: str, now: datetime, until: datetime | None) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"scope": scope, "reason": reason, "since": now, "until": until}
    new = dialect.insert(pauses).values(row)
    ongoing = or_(pauses.c.until.is_(None), pauses.c.until > now)
    changed = {"reason": reason, "until": until, "since": case((ongoing, pauses.c.since), else_=new.excluded.since)}
    connection.execute(new.on_conflict_do_update(index_elements=["scope"], set_=changed))
    pull_brake(connection)
