"""Incidents that the rows tell of by themselves: looked for at every tick, and written only when they change."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, exists, or_, select

from automation.database.engine import Database
from automation.database.schema import UNKNOWN, messages
from automation.database.work import incidents
from automation.delivery.alerts.incidents import IS_OPEN, Kind, close_incident, is_open, open_incident

MESSAGES = "messages"
# What nobody can tell to be mended is over when it has not come again for so long.
OVER_AFTER: Mapping[Kind, timedelta] = {
    "expired_after_downtime": timedelta(hours=1),
    "call_not_read": timedelta(days=1),
}
UNKNOWN_WORDS = "nobody knows whether some messages were sent; `automation unknown` lists them"


def watch(database: Database, now: datetime) -> None:
    """Messages of which nobody knows are an incident while there are any; others end by themselves."""
    with database.reading() as connection:
        unknown = connection.execute(select(exists(select(messages.c.message_id).where(UNKNOWN)))).scalar_one()
        changed = unknown != is_open(connection, "unknown_messages", MESSAGES)
        over = _over(connection, now)
    if changed or over:
        with database.writing() as connection:
            if changed:
                _say(connection, "unknown_messages", MESSAGES, UNKNOWN_WORDS if unknown else None, now)
            for kind, about in over:
                close_incident(connection, kind, about, now)


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


def _over(connection: Connection, now: datetime) -> list[tuple[Kind, str]]:
    old = (and_(incidents.c.kind == kind, incidents.c.opened_at <= now - lasts) for kind, lasts in OVER_AFTER.items())
    found = select(incidents.c.kind, incidents.c.about).where(IS_OPEN, or_(*old))
    return [(row.kind, row.about) for row in connection.execute(found)]
