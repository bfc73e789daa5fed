"""What a named person may do to the sending: stop it, let it go on, and say what became of a message nobody knew of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from automation.database.audit import Act, note
from automation.database.schema import SHARDS, messages
from automation.database.work import pauses
from automation.delivery.alerts.incidents import close_incident
from automation.delivery.health.pauses import pause_until
from automation.delivery.health.refusals import forget
from automation.errors import BadInput, UnknownMessage
from automation.reasons import Reason

EVERYTHING = "everything"
Verdict = Literal["sent", "failed"]
RESOLVE: dict[Verdict, Act] = {"sent": "resolve sent", "failed": "resolve failed"}


def pause(connection: Connection, scope: str, by: str, words: str, until: datetime | None, now: datetime) -> None:
    """Nothing more of this scope is posted; what is due waits. Raises BadInput when the end is not to come."""
    if until is not None and until <= now:
        raise BadInput("--until: the end of a pause lies in the future")
    pause_until(connection, scope, words or f"paused by {by}", now, until)
    note(connection, by, "pause", scope, words, now, until)


def resume(connection: Connection, scope: str, by: str, words: str, now: datetime) -> None:
    """What waits is decided anew. Raises BadInput when there is no such pause."""
    forget(connection, scope.removeprefix("playbook:"))
    if connection.execute(delete(pauses).where(pauses.c.scope == scope)).rowcount == 0:
        raise BadInput(f"{scope} is not paused; `automation pauses` lists what is")
    close_incident(connection, "playbook_paused", scope, now)
    note(connection, by, "resume", scope, words, now)


def pauses_now(connection: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Scope, reason, since and until of each pause in force."""
    rows = select(pauses).where(pauses.c.until.is_(None) | (pauses.c.until > now)).order_by(pauses.c.since)
    return connection.execute(rows).all()


def resolve(connection: Connection, message_id: int, verdict: Verdict, by: str, words: str, now: datetime) -> None:
    """An unknown message becomes `sent` or `failed`, once. Raises UnknownMessage; BadInput when it is not unknown."""
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = connection.execute(select(messages.c.status, messages.c.first_used_at).where(*mine).with_for_update())
    row = found.one_or_none()
    if row is None:
        raise UnknownMessage(f"no message has the id {message_id}; `automation unknown` lists those to resolve")
    if row.status != "unknown":
        raise BadInput(f"message {message_id} is {row.status}; only an unknown one can be resolved, and only once")
    sent_at = row.first_used_at if verdict == "sent" else None
    values = {"status": verdict, "reason": Reason.RESOLVED.value, "sent_at": sent_at, "finished_at": now}
    connection.execute(update(messages).where(*mine).values(values))
    note(connection, by, RESOLVE[verdict], f"message:{message_id}", words, now)
