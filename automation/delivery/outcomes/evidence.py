"""Messages of which nobody heard from their call, and of which the provider has told since: they were taken."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, exists, insert, or_, select, update

from automation.database.schema import PLANNED, UNKNOWN, messages, outcomes
from automation.database.temporary import empty, shard_column, temporary
from automation.database.types import Id
from automation.reasons import Reason

unsure = temporary(
    "unsure", shard_column(), Column("message_id", Id, primary_key=True, autoincrement=False), expected="500 2 1"
)
MessageKey = tuple[int, int]


def settle_told(connection: Connection, keys: Sequence[MessageKey], now: datetime) -> set[MessageKey]:
    """Those that are unknown, or planned once more, and have an outcome are sent. Returns them."""
    if not keys:
        return set()
    empty(connection, unsure)
    connection.execute(insert(unsure), [{"shard": shard, "message_id": message_id} for shard, message_id in keys])
    same = (outcomes.c.shard == unsure.c.shard) & (outcomes.c.message_id == unsure.c.message_id)
    told = {(row.shard, row.message_id) for row in connection.execute(select(unsure).where(exists().where(same)))}
    values = {"status": "sent", "reason": Reason.TOLD_LATER.value, "sent_at": messages.c.first_used_at}
    for shard, message_id in told:
        mine = (messages.c.shard == shard, messages.c.message_id == message_id, or_(UNKNOWN, PLANNED))
        connection.execute(update(messages).where(*mine).values(**values, finished_at=now))
    return told
