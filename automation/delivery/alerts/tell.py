"""Telling a webhook of incidents: signed as of https://www.standardwebhooks.com, at least once, given up after a day.

What is to be told, and when it is tried again, are rows. A try is noted before the post, so that workers do not tell
the same at once, and one that dies tries again later under the same id.
"""

import asyncio
import hmac
import json
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Connection, Row, select, update
from standardwebhooks import Webhook

from automation.database.engine import Database
from automation.database.schema import installation
from automation.database.work import incidents
from automation.delivery.alerts.watch import watch
from automation.delivery.http import Door, Doors, Line
from automation.delivery.replies import Answer
from automation.settings import Settings
from automation.values import instant_text

log = logging.getLogger(__name__)
AT_ONCE = 20
PATIENCE = timedelta(seconds=10)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=1)


@dataclass(frozen=True)
class Event:
    """One end of an incident, as it is told. `message_id` is the same in every try."""

    number: int
    message_id: str
    opens: bool
    body: str


async def tell(
    database: Database,
    settings: Settings,
    now: datetime,
    door: Doors = Door,
) -> int:
    """Post what is due. Returns how many events were taken; without a URL there are none to post."""
    watch(database, now)
    if not settings.alerts.url:
        return 0
    events = _claim(database, now)
    if not events:
        return 0
    async with door(len(events)) as line:  # together, so that no other worker finds one due again meanwhile
        return sum(await asyncio.gather(*(_told(database, settings, event, now, line) for event in events)))


def _claim(database: Database, now: datetime) -> list[Event]:
    due = select(incidents).where(incidents.c.next_try_at.is_not(None), incidents.c.next_try_at <= now)
    due = due.order_by(incidents.c.next_try_at).limit(AT_ONCE)
    with database.reading() as connection:
        if connection.execute(due).first() is None:
            return []
    with database.writing() as connection:
        rows = connection.execute(due.with_for_update(skip_locked=True)).all()
        return [_event(connection, row) for row in rows if _try_again(connection, row, now)]


def _try_again(connection: Connection, row: Row[Any], now: datetime) -> bool:
    """Note the try, and when the next one would be; False when there were tries enough."""
    since = row.opened_at if row.told_at is None else row.closed_at
    known = row.tries > 0 or row.closed_at is not None
    given_up = known and now - since > GIVEN_UP_AFTER
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(row.tries, 10))
    values = {"next_try_at": None if given_up else now + wait, "tries": row.tries + 1}
    connection.execute(update(incidents).where(incidents.c.number == row.number).values(values))
    if given_up and row.tries:
        log.error("the webhook of [alerts] was not reached for a day; %s is not told there", row.kind)
    return not given_up


def _event(connection: Connection, row: Row[Any]) -> Event:
    opens = row.told_at is None
    identity = connection.execute(select(installation.c.key)).scalar_one()
    what = "opened" if opens else "closed"
    number = hmac.digest(identity.encode(), f"incident:{row.number}:{what}".encode(), "sha256").hex()[:32]
    told = {
        "type": f"incident.{what}",
        "timestamp": instant_text(row.opened_at if opens else row.closed_at),
        "data": {
            "kind": row.kind,
            "about": row.about,
            "words": row.words,
            "opened_at": instant_text(row.opened_at),
            "closed_at": instant_text(row.closed_at) if row.closed_at else None,
        },
    }
    return Event(row.number, f"msg_{number}", opens, json.dumps(told, ensure_ascii=False))


async def _told(database: Database, settings: Settings, event: Event, now: datetime, line: Line) -> bool:
    heard = await line.post(_request(settings, event, now), timeout=PATIENCE)
    if not (isinstance(heard, Answer) and 200 <= heard.status < 300):  # noqa: PLR2004 (the class of successes)
        log.warning("the webhook of [alerts] did not take an event; it is tried again")
        return False
    with database.writing() as connection:
        _note_told(connection, event, now)
    return True


def _request(settings: Settings, event: Event, now: datetime) -> httpx.Request:
    secret = settings.alerts.webhook_secret
    signature = Webhook(secret.get_secret_value() if secret else "").sign(event.message_id, now, event.body)
    headers = {
        "content-type": "application/json",
        "webhook-id": event.message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    return httpx.Request("POST", settings.alerts.url, headers=headers, content=event.body.encode())


def _note_told(connection: Connection, event: Event, now: datetime) -> None:
    """Of one that has ended meanwhile the end is told next."""
    mine = incidents.c.number == event.number
    closed_at = connection.execute(select(incidents.c.closed_at).where(mine).with_for_update()).scalar_one()
    values: dict[str, Any] = {"tries": 0, "next_try_at": now if event.opens and closed_at is not None else None}
    if event.opens:
        values["told_at"] = now
    connection.execute(update(incidents).where(mine).values(values))
