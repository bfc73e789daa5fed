"""Messages of which nobody heard from their call, and of which the provider has told since: they were taken."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Column, Connection, and_, exists, insert, or_, select, update

from automation.database.schema import PLANNED, UNKNOWN, messages, outcomes
from automation.database.temporary import empty, shard_column, temporary
from automation.database.types import Id
from automation.reasons import Reason

told_ids = temporary(
    "told_ids", shard_column(), Column("message_id", Id, primary_key=True, autoincrement=False), expected="500 2 1"
)
MessageKey = tuple[int, int]


def ask_about(connection: Connection, keys: Iterable[MessageKey]) -> None:
    """Put the messages with these keys, each named once, into `told_ids`."""
    empty(connection, told_ids)
    connection.execute(insert(told_ids), [{"shard": shard, "message_id": message_id} for shard, message_id in keys])


def settle_told(connection: Connection, keys: Collection[MessageKey], now: datetime) -> set[MessageKey]:
    """Those that are unknown, or planned once more, and have an outcome are sent. Returns them."""
    if not keys:
        return set()
    ask_about(connection, keys)
    same = and_(outcomes.c.shard == told_ids.c.shard, outcomes.c.message_id == told_ids.c.message_id)
    told = {(row.shard, row.message_id) for row in connection.execute(select(told_ids).where(exists().where(same)))}
    note_taken(connection, told, now)
    return told


def note_taken(connection: Connection, keys: Iterable[MessageKey], now: datetime) -> None:
    """A provider that tells what became of a message has taken it, when it was first posted."""
    values = {"status": "sent", "reason": Reason.TOLD_LATER.value, "sent_at": messages.c.first_used_at}
    for shard, message_id in keys:
        mine = (messages.c.shard == shard, messages.c.message_id == message_id, or_(UNKNOWN, PLANNED))
        connection.execute(update(messages).where(*mine).values(**values, finished_at=now))
