"""Sending a message once more because a person asks for it: a new row of the ledger that says whose copy it is.

It passes the gates that law and the customer have put there, now and again when its turn comes, and pauses; it may go
beyond what we allow ourselves (caps, priorities, the playbook's own rules). It counts towards no cap, and the passage
through the playbook does not wait for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, literal, select

from automation.database.audit import note
from automation.database.engine import lock_shards
from automation.database.schema import SHARDS, messages
from automation.delivery.cases import load_cases
from automation.delivery.decide import Hold, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.told import Told
from automation.errors import BadInput, UnknownMessage
from automation.reasons import Reason

GONE_OUT = frozenset({"sent", "rejected", "failed"})
LATE_BY = timedelta(days=1)  # a copy that a night or a pause holds up is still wanted in the morning, not next week
SAME = (
    "customer_id",
    "enrollment_id",
    "playbook",
    "version_id",
    "step",
    "variant",
    "channel",
    "kind",
    "topic",
    "priority",
)


@dataclass(frozen=True)
class Wish:
    """Who asks for the message to go once more, and why. `number`: the how-manieth copy they mean, as far as they know
    of others, so that a second click asks for the same.
    """

    message_id: int
    by: str
    why: str
    number: int | None = None


@dataclass(frozen=True)
class Resent:
    """The copy. `waits`: until when, and why it does not go at once."""

    message_id: int
    waits: Hold | None = None


def resend(connection: Connection, desk: Desk, wish: Wish, now: datetime) -> Resent:
    """Raises UnknownMessage; BadInput with the reason when it may not go, and then nothing may be kept of it."""
    if not wish.why.strip():
        raise BadInput("--note: say why it is sent again; it is kept for good")
    shard = wish.message_id % SHARDS
    lock_shards(connection, select(literal(shard).label("shard")).subquery("asked"))
    row, others = _asked(connection, wish.message_id)
    _check(row, others, wish)
    if row.playbook not in desk.book.playbooks:
        raise BadInput(f"message {row.message_id}: {Reason.PLAYBOOK_REMOVED.sentence} Nothing of it is sent any more.")
    message_id = _add(connection, row, others[-1].again + 1, wish, now)
    note(connection, wish.by, "resend", f"message:{message_id}", wish.why.strip(), now)
    return Resent(message_id, _decided(connection, desk, (shard, message_id), now))


def next_copy(connection: Connection, message_id: int) -> int:
    """The number of the copy that would be made now. Raises UnknownMessage."""
    _, others = _asked(connection, message_id)
    return int(others[-1].again) + 1


def _asked(connection: Connection, message_id: int) -> tuple[Any, Sequence[Any]]:
    """The message, and all rows of its step: itself, what it is a copy of, and the copies."""
    of = messages.c
    mine = (of.shard == message_id % SHARDS, of.message_id == message_id)
    row = connection.execute(select(*of[*SAME], of.message_id, of.status, of.reason, of.again_of).where(*mine)).first()
    if row is None:
        raise UnknownMessage(f"no message has the id {message_id}; `automation log` lists the ids")
    same = (of.shard == message_id % SHARDS, of.enrollment_id == row.enrollment_id, of.step == row.step)
    others = select(of.message_id, of.again, of.status).where(*same).order_by(of.again)
    return row, connection.execute(others).all()


def _check(row: Any, others: Sequence[Any], wish: Wish) -> None:
    for one in others:
        if one.status == "unknown":
            told = f"nobody knows whether message {one.message_id} was taken; resolve it first, as sent or as failed"
            raise BadInput(told)
        if one.status in {"planned", "sending"}:
            which = "it" if one.message_id == row.message_id else f"its copy, message {one.message_id},"
            raise BadInput(f"{which} is {one.status} and has not gone out yet; wait for that")
    if row.status not in GONE_OUT:
        why = Reason.of(row.reason).sentence if row.reason else ""
        raise BadInput(f"message {row.message_id} never went out ({row.status}), so there is nothing to repeat. {why}")
    last = others[-1]
    if wish.number is not None and wish.number != last.again + 1:
        raise BadInput(f"somebody has sent it again meanwhile, as message {last.message_id}; look at that one first")


def _add(connection: Connection, row: Any, number: int, wish: Wish, now: datetime) -> int:
    shard = row.message_id % SHARDS
    newest = connection.execute(select(func.max(messages.c.message_id)).where(messages.c.shard == shard)).scalar_one()
    message_id: int = (newest // SHARDS + 1) * SHARDS + shard
    values = {name: getattr(row, name) for name in SAME}
    values |= {"shard": shard, "message_id": message_id, "status": "planned"}
    values |= {"planned_at": now, "due_at": now, "deadline": now + LATE_BY}
    values |= {"again_of": row.again_of or row.message_id, "again": number, "asked_by": wish.by.strip()}
    connection.execute(insert(messages), values)
    return message_id


def _decided(connection: Connection, desk: Desk, key: tuple[int, int], now: datetime) -> Hold | None:
    """What the gates say of it at once: whoever asks is told."""
    (loaded,) = load_cases(connection, desk, [key], now)
    decision = decide(loaded.case)
    if isinstance(decision, Skip):
        raise BadInput(f"it may not be sent again: {decision.reason.sentence}")
    if not isinstance(decision, Hold):
        return None
    told = Told()
    told.hold(loaded, decision)
    told.write(connection, now)
    return decision
