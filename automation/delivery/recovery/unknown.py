"""Rows of which nobody knows: which to ask the provider about, and what it proves when it has one of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from automation.database.audit import note
from automation.database.schema import TEXTS, UNKNOWN, attempts, messages
from automation.database.types import Instant
from automation.delivery.compose import hash_of
from automation.delivery.desk import Desk
from automation.delivery.ledger import OF
from automation.delivery.recovery.repeat import content_again
from automation.delivery.sought import Found, Sought
from automation.errors import BadMessage
from automation.reasons import Reason

ACTOR = "look-up"
# What a provider searches may lag behind what it took, so a young message is asked about soon again.
PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
)
LONGEST_PAUSE = timedelta(days=1)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)  # the provider does not know it any more
NEARLY = timedelta(hours=1)
PINNED = ("version_id", "step", "variant", "channel", "kind", "context", "address", "content_hash", "first_used_at")


def take_due(
    connection: Connection, provider: str, asked_for: timedelta, limit: int, now: datetime
) -> Sequence[Row[Any]]:
    """The rows to ask about now. They are put off before anybody asks: whatever happens, nobody asks again at once."""
    ours = (
        UNKNOWN,
        messages.c.provider == provider,
        or_(messages.c.look_up_at.is_(None), messages.c.look_up_at <= now),
    )
    too_old = messages.c.first_used_at <= now - asked_for
    connection.execute(update(messages).where(*ours, too_old).values(look_up_at=NEVER))
    found = (
        select(*messages.c["shard", "message_id", "provider", *PINNED], *_posted())
        .where(*ours)
        .order_by(messages.c.look_up_at.nulls_first(), messages.c.message_id)
        .limit(limit)
        .with_for_update(of=messages, skip_locked=True)
    )
    rows = connection.execute(found).all()
    _put_off(connection, rows, lambda row: now + pause_after(now - row.first_used_at))
    return rows


def pause_after(age: timedelta) -> timedelta:
    """How long after a look-up the next one is, for a message that was posted so long ago."""
    return next((pause for pause in PAUSES if pause > age), LONGEST_PAUSE)


def give_back(connection: Connection, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Nobody asked about these: they are due again."""
    _put_off(connection, rows, lambda _: now)


def _put_off(connection: Connection, rows: Sequence[Row[Any]], until: Callable[[Row[Any]], datetime]) -> None:
    bound = [{"of_shard": row.shard, "of_id": row.message_id, "until": until(row)} for row in rows]
    if bound:
        values = {"look_up_at": bindparam("until", type_=Instant)}
        connection.execute(update(messages).where(*OF, UNKNOWN).values(values), bound)


def ask_again(connection: Connection, provider: str, asked_for: timedelta, now: datetime) -> None:
    """All of them are due now, except those the provider does not know any more."""
    waits = (messages.c.look_up_at.is_not(None), messages.c.first_used_at > now - asked_for)
    connection.execute(update(messages).where(UNKNOWN, messages.c.provider == provider, *waits).values(look_up_at=None))


def _posted() -> tuple[ColumnElement[Any], ...]:
    """From when until when the attempts of which nobody knows lasted."""
    mine = and_(
        attempts.c.shard == messages.c.shard,
        attempts.c.message_id == messages.c.message_id,
        attempts.c.provider == messages.c.provider,
        attempts.c.reply == "unknown",
    )
    return tuple(
        select(extreme).where(mine).scalar_subquery().label(name)
        for name, extreme in (
            ("since", func.min(attempts.c.started_at)),
            ("until", func.max(attempts.c.finished_at)),
        )
    )


def sought(connection: Connection, desk: Desk, row: Row[Any]) -> Sought | None:
    """What to look for; None when it cannot be told, because its text cannot be put together again to the letter."""
    text = _text(connection, desk, row) if row.channel == "sms" else ""
    if text is None or row.since is None or row.address is None:
        return None
    return Sought(row.message_id, row.kind, row.address, text, row.since, row.until)


def _text(connection: Connection, desk: Desk, row: Row[Any]) -> str | None:
    try:
        content = content_again(connection, desk, row)
    except BadMessage:
        return None
    return content.text if hash_of(content) == row.content_hash else None


def note_found(connection: Connection, row: Row[Any], found: Found, now: datetime) -> bool:
    """The message is sent, once, and the audit log says who found it. False when that is not certain."""
    if not found.has_our_id and _could_be_another(connection, row, found.provider_id):
        return False
    values = {
        "status": "sent",
        "reason": Reason.LOOKED_UP.value,
        "provider_id": found.provider_id,
        "sent_at": row.first_used_at,
        "finished_at": now,
    }
    mine = (messages.c.shard == row.shard, messages.c.message_id == row.message_id, UNKNOWN)
    if connection.execute(update(messages).where(*mine).values(values)).rowcount == 0:
        return False
    words = f"{row.provider} has it as {found.provider_id}"
    note(connection, ACTOR, "resolve sent", f"message:{row.message_id}", words, now)
    return True


def _could_be_another(connection: Connection, row: Row[Any], provider_id: str) -> bool:
    """Another of our texts to this number is that one, or says the same and may have been posted then."""
    of = messages.c
    uncertain = or_(
        of.status.in_(["planned", "sending", "unknown"]),
        of.possible_duplicate,
        and_(of.status == "sent", of.provider_id.is_(None)),
    )
    alike = and_(of.content_hash == row.content_hash, of.first_used_at > row.since - NEARLY, uncertain)
    others = (
        select(of.message_id)
        .where(TEXTS, of.address == row.address, of.message_id != row.message_id)
        .where(or_(of.provider_id == provider_id, alike))
    )
    return connection.execute(others.limit(1)).first() is not None
