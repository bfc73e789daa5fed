"""Incidents are rows: of one kind about one thing there is at most one that has not ended."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.work import OPEN_INCIDENT, incidents

log = logging.getLogger(__name__)
Kind = Literal[
    "provider_paused",
    "playbook_paused",
    "unknown_messages",
    "expired_after_downtime",
    "broken_promise",
    "files_broken",
    "run_failed",
    "call_not_read",
]
LISTED = 100
IS_OPEN = incidents.c.closed_at.is_(None)


def open_incident(connection: Connection, kind: Kind, about: str, words: str, now: datetime) -> bool:
    """Whether it is a new one: while it lasts nobody is told twice. `words` name no person and no address."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"kind": kind, "about": about, "words": words, "opened_at": now, "next_try_at": now}
    new = dialect.insert(incidents).values(row)
    new = new.on_conflict_do_nothing(index_elements=["kind", "about"], index_where=OPEN_INCIDENT)
    if connection.execute(new).rowcount == 0:
        return False
    log.error("%s: %s", kind, words)
    return True


def close_incident(connection: Connection, kind: Kind, about: str, now: datetime) -> bool:
    """Whether there was one. Whoever was told of its beginning is told of its end."""
    mine = (incidents.c.kind == kind, incidents.c.about == about, IS_OPEN)
    # What is still to be told, or was given up, stays as it is: the beginning comes first.
    due = case((incidents.c.told_at.is_not(None), now), else_=incidents.c.next_try_at)
    return connection.execute(update(incidents).where(*mine).values(closed_at=now, next_try_at=due)).rowcount > 0


def is_open(connection: Connection, kind: Kind, about: str) -> bool:
    found = select(incidents.c.number).where(incidents.c.kind == kind, incidents.c.about == about, IS_OPEN)
    return connection.execute(found).first() is not None


def incidents_now(connection: Connection, *, ended_too: bool = False) -> Sequence[Row[Any]]:
    """Kind, about, words, opened_at and closed_at of those that last, or of the last hundred; the newest first."""
    shown = select(*incidents.c["kind", "about", "words", "opened_at", "closed_at"])
    if not ended_too:
        shown = shown.where(IS_OPEN)
    return connection.execute(shown.order_by(incidents.c.number.desc()).limit(LISTED)).all()
