"""The ledger's own verbs: claim what is due, say `sending` before the first byte, record what was heard.

Every update of a row in flight matches its fence: a worker that was asleep longer than its lease changes nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, Table, bindparam, insert, literal, select, update

from automation.customers.facts.compute import same_customer
from automation.database.schema import PLANNED, SENDING, attempts, customers, enrollments, messages
from automation.database.types import Id
from automation.delivery.cases import MessageKey


@dataclass(frozen=True)
class Flight:
    """A message that is being sent: its row's key and the fence that proves it is ours.

    `repeats`: an earlier attempt of which nobody knows had the same key. `is_copy`: no step waits for it.
    """

    shard: int
    message_id: int
    enrollment_id: int
    fence: int
    attempt: int
    provider: str
    batch: str
    started_at: datetime
    deadline: datetime
    possible_duplicate: bool = False
    repeats: bool = False
    is_copy: bool = False


@dataclass(frozen=True)
class Record:
    """What became of one flight: the row's new values and the attempt to append."""

    flight: Flight
    values: Mapping[str, Any]
    reply: str
    reason: str | None
    detail: str | None
    http_status: int | None


class Claimed(NamedTuple):
    """A due message that nobody else may decide about now, and the version it is rendered from."""

    shard: int
    message_id: int
    version_id: str

    @property
    def key(self) -> MessageKey:
        return self.shard, self.message_id


def claim_due(
    connection: Connection, channel: str, now: datetime, limit: int, paused: Iterable[str] = ()
) -> list[Claimed]:
    """The due messages of a channel, oldest first, held until the transaction ends together with their customers.

    On PostgreSQL rows that another worker holds are passed over, so that two messages to one customer are never
    decided at the same time. On SQLite the write transaction is the claim.
    """
    due = (
        select(messages.c.shard, messages.c.message_id, messages.c.version_id)
        .where(PLANNED, messages.c.channel == channel, messages.c.due_at <= now)
        .order_by(messages.c.due_at, messages.c.message_id)
        .limit(limit)
    )
    paused = list(paused)
    if paused:
        due = due.where(messages.c.playbook.not_in(paused))
    if connection.dialect.name == "postgresql":
        due = due.join(customers, same_customer(customers, messages)).join(enrollments, _same_enrollment())
        due = due.with_for_update(of=[messages, customers, enrollments], skip_locked=True)
    return [Claimed(*row) for row in connection.execute(due)]


def _same_enrollment() -> Any:
    return (enrollments.c.shard == messages.c.shard) & (enrollments.c.enrollment_id == messages.c.enrollment_id)


# Typed here because an executemany with bindparam() does not take a column's type.
OF = (
    messages.c.shard == bindparam("of_shard", type_=Integer),
    messages.c.message_id == bindparam("of_id", type_=Id),
)
IN_FLIGHT = (*OF, messages.c.fence == bindparam("of_fence", type_=Integer), SENDING)


def begin_sending(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Commit this before the first byte: each row has of_shard, of_id and the values of a message in flight."""
    values, bound = shared_values(messages, rows)
    taken_on = update(messages).where(*OF, PLANNED)
    flying = {"status": "sending", "fence": messages.c.fence + 1, "attempts": messages.c.attempts + 1}
    connection.execute(taken_on.values({**flying, **values}), bound)


def shared_values(table: Table, rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Values for a statement over many rows, and the rows to bind: what they share is bound once, not in each."""
    first = rows[0]
    names = [name for name in first if not name.startswith("of_")]
    own = [name for name in names if any(row[name] != first[name] for row in rows)]
    shared = {name: literal(first[name], table.c[name].type) for name in names if name not in own}
    values = shared | {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in own}
    keys = [name for name in first if name.startswith("of_")]
    bound = [{key: row[key] for key in keys} | {f"new_{name}": row[name] for name in own} for row in rows]
    return values, bound


def record_replies(connection: Connection, records: Sequence[Record], now: datetime) -> list[Record]:
    """Write what was heard, and append the attempts. Returns the records whose fence still matched."""
    ours = _still_ours(connection, [record.flight for record in records])
    kept = [record for record in records if (record.flight.shard, record.flight.message_id) in ours]
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for record in kept:
        row = {"of_shard": record.flight.shard, "of_id": record.flight.message_id, "of_fence": record.flight.fence}
        by_columns.setdefault(tuple(record.values), []).append({**record.values, **row})
    for rows in by_columns.values():
        values, bound = shared_values(messages, rows)
        released = update(messages).where(*IN_FLIGHT).values({"worker": None, "lease_until": None, **values})
        connection.execute(released, bound)
    if kept:
        values, bound = shared_values(attempts, [attempt_row(record, now) for record in kept])
        connection.execute(insert(attempts).values(values), bound)
    return kept


def release(connection: Connection, flights: Sequence[Flight], now: datetime) -> None:
    """Give back what was not posted: no byte of it left, so it spends no attempt. A repeated call stays in flight."""
    # A second time it changes nothing: what was given back is nobody's.
    held = (*IN_FLIGHT, messages.c.worker.is_not(None))
    unspent = update(messages).where(*held).values(attempts=messages.c.attempts - 1, worker=None)
    for values, ours in (
        ({"status": "planned", "lease_until": None}, [one for one in flights if not one.repeats]),
        ({"lease_until": now}, [one for one in flights if one.repeats]),
    ):
        if ours:
            connection.execute(unspent.values(values), named(ours))


def _still_ours(connection: Connection, flights: Sequence[Flight]) -> set[MessageKey]:
    """Rows that nobody took over while we were waiting for the provider; held until the transaction ends.

    A call that waits to be repeated is still being sent, and nobody's: what was heard of it is written once.
    """
    fences = {(flight.shard, flight.message_id): flight.fence for flight in flights}
    batches = {flight.batch for flight in flights}
    shards = sorted({shard for shard, _ in fences})
    found = (
        select(messages.c.shard, messages.c.message_id, messages.c.fence)
        .where(SENDING, messages.c.lease_until.is_not(None), messages.c.worker.is_not(None))
        .where(messages.c.batch.in_(batches), messages.c.shard.in_(shards))
        .with_for_update()
    )
    return {
        (row.shard, row.message_id)
        for row in connection.execute(found)
        if fences.get((row.shard, row.message_id)) == row.fence
    }


def attempt_row(record: Record, now: datetime) -> dict[str, Any]:
    flight = record.flight
    return {
        "shard": flight.shard,
        "message_id": flight.message_id,
        "number": flight.attempt,
        "provider": flight.provider,
        "started_at": flight.started_at,
        "finished_at": now,
        "reply": record.reply,
        "reason": record.reason,
        "detail": record.detail,
        "http_status": record.http_status,
        "batch": flight.batch,
    }


def named(flights: Sequence[Flight]) -> list[dict[str, Any]]:
    return [{"of_shard": one.shard, "of_id": one.message_id, "of_fence": one.fence} for one in flights]
