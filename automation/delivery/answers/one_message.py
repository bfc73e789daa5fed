"""Everything there is to say about one message of the send log."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, not_, select

from automation.database.schema import OWN, SHARDS, attempts, audit_log, enrollments, messages, outcomes
from automation.delivery.answers.history import logged
from automation.delivery.compose import content_of, hash_of
from automation.delivery.recovery.unknown import NEVER
from automation.delivery.versions import read_version
from automation.errors import BadMessage, UnknownMessage
from automation.messages.sms import segments
from automation.reasons import BY_KEY

DECIDED = (
    "kind",
    "topic",
    "variant",
    "version_id",
    "priority",
    "deadline",
    "possible_duplicate",
    "flags",
    "finished_at",
    "idempotency_key",
    "content_hash",
    "asked_by",
)
ATTEMPT = ("number", "provider", "started_at", "finished_at", "reply", "reason", "detail", "http_status", "batch")
OUTCOME = ("outcome", "happened_at", "received_at", "provider", "detail")
COPY = ("message_id", "again", "asked_by", "planned_at", "status", "reason")
ACT = ("recorded_at", "actor", "act", "note")
PASSAGE = ("enrollment_id", "arm", "entered_at", "entered_stage", "exited_at", "exit_reason", "goal_at")


def message_told(connection: Connection, message_id: int, default_locale: str) -> dict[str, Any]:
    """One message: its log row, what decided about it, every attempt, what was found out later, outcomes, the copy.

    Raises UnknownMessage.
    """
    mine = and_(messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    row_of_log = connection.execute(logged().where(mine)).mappings().one_or_none()
    if row_of_log is None:
        raise UnknownMessage(f"no message has the id {message_id}; `automation log` lists the ids")
    row = connection.execute(select(messages).where(mine)).mappings().one()
    return {
        **row_of_log,
        "why": BY_KEY[row["reason"]].sentence if row["reason"] in BY_KEY else None,
        **{key: row[key] for key in DECIDED},
        "asked_again_at": _asked_again(row),
        "enrollment": _enrollment(connection, row),
        "attempts": _listed(connection, select(*attempts.c[*ATTEMPT]), attempts, row, attempts.c.number),
        "acts": _acts(connection, message_id),
        "copies": _copies(connection, row),
        "outcomes": _listed(connection, select(*outcomes.c[*OUTCOME]), outcomes, row, outcomes.c.happened_at),
        "content": _copy(connection, row, default_locale),
    }


def _asked_again(row: Mapping[Any, Any]) -> datetime | None:
    """When the provider is asked next what became of it."""
    waits = row["status"] == "unknown" and row["look_up_at"] != NEVER
    return row["look_up_at"] if waits else None


def _enrollment(connection: Connection, row: Mapping[Any, Any]) -> dict[str, Any]:
    mine = and_(enrollments.c.shard == row["shard"], enrollments.c.enrollment_id == row["enrollment_id"])
    return dict(connection.execute(select(*enrollments.c[*PASSAGE]).where(mine)).mappings().one())


def _listed(
    connection: Connection, rows: Select[Any], table: Any, row: Mapping[Any, Any], order: ColumnElement[Any]
) -> list[dict[str, Any]]:
    mine = and_(table.c.shard == row["shard"], table.c.message_id == row["message_id"])
    return [dict(one) for one in connection.execute(rows.where(mine).order_by(order)).mappings()]


def _acts(connection: Connection, message_id: int) -> list[dict[str, Any]]:
    """What people and look-ups wrote down about it."""
    mine = select(*audit_log.c[*ACT]).where(audit_log.c.about == f"message:{message_id}")
    return [dict(one) for one in connection.execute(mine.order_by(audit_log.c.number)).mappings()]


def _copies(connection: Connection, row: Mapping[Any, Any]) -> list[dict[str, Any]]:
    """What was sent again of it, and for whom; of a copy its sisters too."""
    of = messages.c
    same = (of.shard == row["shard"], of.enrollment_id == row["enrollment_id"], of.step == row["step"])
    found = select(*of[*COPY]).where(*same, not_(OWN), of.message_id != row["message_id"])
    return [dict(one) for one in connection.execute(found.order_by(of.again)).mappings()]


def _copy(connection: Connection, row: Mapping[Any, Any], default_locale: str) -> dict[str, Any] | None:
    """The content, rendered again from the version and the values that the row pins; None before it is sent.

    `verified` says whether it is what was sent, to the letter; `problem` why it cannot be shown.
    """
    context = row["context"]
    if context is None:
        return None
    try:
        version = read_version(connection, row["version_id"])
        template = version.template(row["step"], row["variant"], row["channel"], context["locale"], default_locale)
        content = content_of(template, context)
    except BadMessage as error:
        return {"verified": False, "problem": str(error)}
    told = {"subject": content.subject, "html": content.html, "text": content.text}
    if row["channel"] == "sms":
        told = {"text": content.text, **vars(segments(content.text))}
    return {**told, "verified": hash_of(content) == row["content_hash"]}
