"""What is open: through the indexes of open rows alone, however many messages have ended."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from automation.database.hooks import hook_calls
from automation.database.schema import PLANNED, SENDING, UNKNOWN, messages
from automation.settings import CHANNELS


@dataclass(frozen=True)
class Open:
    """Messages that have not ended, of any age. `oldest_due`: since when the first of those waits whose time has come.

    `unknown`: of which nobody knows whether they were taken.
    """

    planned: int
    sending: int
    unknown: int
    oldest_due: datetime | None


@dataclass(frozen=True)
class Calls:
    """What providers told and nobody has worked out yet."""

    waiting: int
    oldest: datetime | None


def open_messages(connection: Connection, now: datetime) -> Open:
    planned, sending, unknown = (
        connection.execute(select(func.count()).select_from(messages).where(status)).scalar_one()
        for status in (PLANNED, SENDING, UNKNOWN)
    )
    return Open(planned, sending, unknown, min(filter(None, _oldest_due(connection, now)), default=None))


def calls_waiting(connection: Connection) -> Calls:
    waiting = select(func.count(), func.min(hook_calls.c.received_at)).where(hook_calls.c.processed_at.is_(None))
    return Calls(*connection.execute(waiting).one())


def _oldest_due(connection: Connection, now: datetime) -> list[datetime | None]:
    """One look-up for each channel: the index begins with it."""
    return [
        connection.execute(
            select(messages.c.due_at)
            .where(PLANNED, messages.c.channel == channel, messages.c.due_at <= now)
            .order_by(messages.c.due_at)
            .limit(1)
        ).scalar()
        for channel in CHANNELS
    ]
