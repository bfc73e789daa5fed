"""Incidents that the rows tell of by themselves: looked for at every tick, and written only when they change."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from automation.database.engine import Database
from automation.database.schema import UNKNOWN, messages
from automation.database.work import incidents
from automation.delivery.alerts.incidents import IS_OPEN, Kind, close_incident, is_open, open_incident

MESSAGES = "messages"
OVER_AFTER = timedelta(hours=1)
UNKNOWN_WORDS = "nobody knows whether some messages were sent; `automation unknown` lists them"


def watch(database: Database, now: datetime) -> None:
    """Messages of which nobody knows are an incident while there are any; a downtime is over after an hour."""
    with database.reading() as connection:
        unknown = connection.execute(select(exists(select(messages.c.message_id).where(UNKNOWN)))).scalar_one()
        changed = unknown != is_open(connection, "unknown_messages", MESSAGES)
        over = _downtime_is_over(connection, now)
    if changed or over:
        with database.writing() as connection:
            if changed:
                _say(connection, "unknown_messages", MESSAGES, UNKNOWN_WORDS if unknown else None, now)
            if over:
                close_incident(connection, "expired_after_downtime", MESSAGES, now)


def tell_of(database: Database, kind: Kind, about: str, words: str | None, now: datetime) -> None:
    """It lasts, in these words; without words it is over. Most of the time nothing changes."""
    with database.reading() as connection:
        same = is_open(connection, kind, about) == (words is not None)
    if not same:
        with database.writing() as connection:
            _say(connection, kind, about, words, now)


def _say(connection: Connection, kind: Kind, about: str, words: str | None, now: datetime) -> None:
    if words is None:
        close_incident(connection, kind, about, now)
    else:
        open_incident(connection, kind, about, words, now)


def _downtime_is_over(connection: Connection, now: datetime) -> bool:
    old = select(incidents.c.number).where(
        incidents.c.kind == "expired_after_downtime", IS_OPEN, incidents.c.opened_at <= now - OVER_AFTER
    )
    return connection.execute(old).first() is not None
