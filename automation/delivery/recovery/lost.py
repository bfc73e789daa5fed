"""Calls in flight that nobody holds any more: their worker is gone, or their answer never came."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, func, insert, or_, select, update

from automation.database.engine import lock
from automation.database.schema import SENDING, attempts, messages
from automation.delivery.ledger import OF, Flight, Record, attempt_row, named, shared_values
from automation.delivery.workers import is_gone
from automation.reasons import Reason

WORKER_LOST = "worker_lost"


def lost_calls(connection: Connection, now: datetime, limit: int) -> list[list[Row[Any]]]:
    """The rows in flight whose lease ran out or whose worker is gone, call by call."""
    lock(connection, "recovery")  # a call's rows stay together
    holders = connection.execute(select(messages.c.worker).where(SENDING, messages.c.worker.is_not(None)).distinct())
    gone = [worker for worker in holders.scalars() if is_gone(worker)]
    lost = (SENDING, or_(messages.c.lease_until < now, messages.c.worker.in_(gone)))
    oldest = select(messages.c.batch).where(*lost).group_by(messages.c.batch)
    batches = connection.execute(oldest.order_by(func.min(messages.c.lease_until), messages.c.batch).limit(limit))
    found = select(*messages.c[*LOST]).where(*lost, messages.c.batch.in_(batches.scalars().all()))
    rows = connection.execute(found.order_by(messages.c.batch, messages.c.message_id).with_for_update()).all()
    return [list(call) for _, call in groupby(rows, key=lambda row: row.batch)]


LOST = (
    "shard",
    "message_id",
    "customer_id",
    "enrollment_id",
    "playbook",
    "step",
    "variant",
    "version_id",
    "channel",
    "kind",
    "fence",
    "attempts",
    "provider",
    "batch",
    "worker",
    "address",
    "context",
    "idempotency_key",
    "request_hash",
    "first_used_at",
    "deadline",
    "possible_duplicate",
    "again_of",
)


def begin_again(connection: Connection, flights: Sequence[Flight], worker: str, lease_until: datetime) -> None:
    """Commit this before the first byte of a repeated call: the rows are ours, by a new fence."""
    taken_over = update(messages).where(*OF, SENDING, messages.c.fence == bindparam("of_fence", type_=Integer) - 1)
    values = {"fence": messages.c.fence + 1, "attempts": messages.c.attempts + 1}
    connection.execute(taken_over.values(**values, worker=worker, lease_until=lease_until), named(flights))


def put_off(connection: Connection, rows: Sequence[Row[Any]], until: datetime) -> None:
    """Nobody holds these rows in flight; they are looked at again then."""
    waits = update(messages).where(*OF, SENDING).values(worker=None, lease_until=until, reason=Reason.REPEAT.value)
    connection.execute(waits, [{"of_shard": row.shard, "of_id": row.message_id} for row in rows])


def note_lost(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """The attempt of a worker that is gone, as far as anybody knows."""
    flights = [lost_flight(row) for row in rows if row.worker is not None]
    records = [Record(one, {}, "unknown", WORKER_LOST, None, None) for one in flights]
    if records:
        values, bound = shared_values(attempts, [attempt_row(record, now) for record in records])
        connection.execute(insert(attempts).values(values), bound)


def give_up(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Nobody will ever know what became of these rows in flight."""
    over = {
        "status": "unknown",
        "reason": Reason.NO_ANSWER.value,
        "finished_at": now,
        "worker": None,
        "lease_until": None,
    }
    bound = [{"of_shard": row.shard, "of_id": row.message_id} for row in rows]
    connection.execute(update(messages).where(*OF, SENDING).values(over), bound)


def lost_flight(row: Row[Any]) -> Flight:
    """The flight that a row out of lease was on."""
    own = (row.shard, row.message_id, row.enrollment_id, row.fence, row.attempts, row.provider, row.batch)
    is_copy = row.again_of is not None
    return Flight(*own, row.first_used_at, row.deadline, row.possible_duplicate, is_copy=is_copy)
