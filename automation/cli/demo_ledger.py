"""What the demo's database says about the demo's day."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select

from automation.database.schema import enrollments, messages, outcomes, stage_changes
from automation.delivery.answers.explain import explain
from automation.delivery.answers.past import Past
from automation.delivery.desk import open_desk
from automation.delivery.hooks.hook import OUTCOMES
from automation.playbooks.load import Book
from automation.reasons import Reason
from automation.settings import CHANNELS, Settings


def day_told(
    connection: Connection, book: Book, evaluated: dict[str, Any], start: datetime, now: datetime
) -> dict[str, Any]:
    """Stages, playbooks, messages and log of the day that began at `start`, as of `now`."""
    roles = {stage.key: (stage.name, stage.roles) for stage in book.lifecycle.stages}
    today = or_(messages.c.sent_at >= start, messages.c.finished_at >= start)
    return {
        "customers": evaluated["customers"],
        "stages": [
            {"key": key, "name": roles[key][0], "roles": list(roles[key][1]), "customers": count}
            for key, count in evaluated["stages"].items()
        ],
        "changes": evaluated["changes"],
        "moves": counts(connection, stage_changes.c.move, stage_changes.c.move != "first"),
        "playbooks": _playbooks(connection, book, evaluated, start),
        "sent": counts(connection, messages.c.channel, messages.c.sent_at >= start),
        "ended": _ended(connection, today),
        "held": counts(connection, messages.c.reason, messages.c.status == "planned", messages.c.reason.is_not(None)),
        "waiting": sum(counts(connection, messages.c.channel, messages.c.status == "planned").values()),
        "so_far": counts(connection, messages.c.status),
        "outcomes": _outcomes(connection, start),
        "log": _lines(connection, start, now),
    }


def _outcomes(connection: Connection, start: datetime) -> list[dict[str, Any]]:
    """What the providers told since then, by outcome and channel."""
    of_message = and_(messages.c.shard == outcomes.c.shard, messages.c.message_id == outcomes.c.message_id)
    rows = (
        select(outcomes.c.outcome, messages.c.channel, func.count())
        .join(messages, of_message)
        .where(outcomes.c.happened_at >= start)
        .group_by(outcomes.c.outcome, messages.c.channel)
    )
    found = {(outcome, channel): count for outcome, channel, count in connection.execute(rows)}
    named = [one for one in OUTCOMES if any(outcome == one for outcome, _ in found)]
    return [{"outcome": one, **{channel: found.get((one, channel), 0) for channel in CHANNELS}} for one in named]


def _lines(connection: Connection, start: datetime, now: datetime) -> list[dict[str, Any]]:
    """The newest line of the send log of every kind that the day has, in order of time."""
    ids = (
        select(func.max(messages.c.message_id))
        .where(messages.c.due_at.between(start, now))
        .group_by(messages.c.playbook, messages.c.step, messages.c.status)
    )
    time = func.coalesce(messages.c.sent_at, messages.c.due_at)
    rows = select(*messages.c[*COLUMNS]).where(messages.c.message_id.in_(ids)).order_by(time, messages.c.message_id)
    return [dict(row) for row in connection.execute(rows).mappings()]


COLUMNS = ("message_id", "customer_id", "playbook", "step", "channel", "status", "reason", "due_at", "sent_at")


def counts(connection: Connection, column: ColumnElement[Any], *where: ColumnElement[bool]) -> dict[str, int]:
    """How many rows have each value, the most frequent first."""
    found = select(column, func.count()).where(*where).group_by(column).order_by(func.count().desc(), column)
    return dict(connection.execute(found).tuples().all())


def _ended(connection: Connection, today: ColumnElement[bool]) -> list[dict[str, Any]]:
    """Messages that ended today without being sent, by status and reason."""
    found = (
        select(messages.c.status, messages.c.reason, func.count().label("messages"))
        .where(today, messages.c.status.not_in(["planned", "sending", "sent"]))
        .group_by(messages.c.status, messages.c.reason)
        .order_by(messages.c.status.desc(), func.count().desc(), messages.c.reason)
    )
    return [dict(row) for row in connection.execute(found).mappings()]


def _playbooks(connection: Connection, book: Book, evaluated: dict[str, Any], start: datetime) -> list[dict[str, Any]]:
    """Who is in each playbook that is switched on, who entered and left today, and how many messages went out."""
    inside = counts(connection, enrollments.c.playbook, enrollments.c.exited_at.is_(None))
    left = counts(connection, enrollments.c.playbook, enrollments.c.exited_at >= start)
    sent = counts(connection, messages.c.playbook, messages.c.sent_at >= start)
    return [
        {
            "playbook": key,
            "name": playbook.model.name,
            "entered": evaluated["entered"].get(key, 0),
            "left": left.get(key, 0),
            "inside": inside.get(key, 0),
            "sent": sent.get(key, 0),
        }
        for key, playbook in book.playbooks.items()
        if playbook.model.active and playbook.model.answers is None
    ]


def explain_two(
    connection: Connection, settings: Settings, book: Book, start: datetime, now: datetime
) -> list[dict[str, Any]]:
    """Why one customer got a message on the day that began at `start`, and why another did not."""
    desk = open_desk(connection, settings, book)
    explained = []
    for got, row in _two(connection, start):
        found = explain(Past(connection, desk, row.customer_id, now), row.playbook)
        about = {"customer_id": row.customer_id, "got": got, "step": row.step, "reason": row.reason, "now": now}
        explained.append({**about, "playbooks": [one.as_dict() for one in found]})
    return explained


def _two(connection: Connection, start: datetime) -> Iterator[tuple[bool, Any]]:
    """Whether they got it, and the message: if there is one, of somebody who entered that very day."""
    of_enrollment = and_(
        enrollments.c.shard == messages.c.shard, enrollments.c.enrollment_id == messages.c.enrollment_id
    )
    columns = (messages.c.customer_id, messages.c.playbook, messages.c.step, messages.c.reason)
    one = select(*columns).join(enrollments, of_enrollment).limit(1)
    order = (enrollments.c.entered_at.desc(), messages.c.priority.desc(), messages.c.message_id)
    telling = case((messages.c.reason == Reason.NO_CONSENT.value, 0), else_=1)
    got = one.where(messages.c.sent_at >= start).order_by(*order)
    skipped = one.where(messages.c.finished_at >= start, messages.c.status == "skipped").order_by(telling, *order)
    for received, query in ((True, got), (False, skipped)):
        for row in connection.execute(query):
            yield received, row
