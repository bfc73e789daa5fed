"""What a customer's time line is made of: each source a table read through the customer's own index.

A source gives rows with `at` (when it happened), the columns of its key (which tell two of one instant apart) and
what there is to say.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Text,
    and_,
    cast,
    collate,
    func,
    literal,
    or_,
    select,
    union_all,
)

from automation.database.hooks import inbound_texts
from automation.database.schema import (
    audit_log,
    consents,
    enrollments,
    events,
    lifted_suppressions,
    messages,
    outcomes,
    stage_changes,
    suppressions,
)

KINDS = ("event", "stage", "playbook", "message", "outcome", "consent", "address", "text", "act")


class Subject(NamedTuple):
    """Whose time line it is; rows about an address are those about the addresses of today."""

    shard: int
    customer_id: str
    email: str | None
    phone: str | None
    dialect: str

    @classmethod
    def of(cls, customer: Row[Any], dialect: str) -> "Subject":
        return cls(customer.shard, customer.customer_id, customer.email, customer.phone, dialect)

    def owns(self, table: Any) -> ColumnElement[bool]:
        return and_(table.c.shard == self.shard, table.c.customer_id == self.customer_id)

    def has(self, table: Any) -> ColumnElement[bool]:
        at = (("email", self.email), ("sms", self.phone))
        mine = [and_(table.c.channel == channel, table.c.address == address) for channel, address in at if address]
        return or_(*mine) if mine else literal(value=False)


@dataclass(frozen=True)
class Source:
    """`keys`: the columns of the key with the type of each."""

    kind: str
    what: str
    keys: Mapping[str, type[int] | type[str] | type[date]]
    rows: Callable[[Subject], Select[Any]]


def _events(of: Subject) -> Select[Any]:
    return select(events.c.time.label("at"), *events.c["event_id", "name", "properties"]).where(of.owns(events))


def _stage_changes(of: Subject) -> Select[Any]:
    # Looked up in the index alone: asked for whole rows, SQLite without statistics reads the shard instead.
    own = stage_changes.alias("own")
    days = select(own.c.day).where(of.owns(own))
    rows = select(stage_changes.c.changed_at.label("at"), *stage_changes.c["day", "from_stage", "to_stage", "move"])
    return rows.where(of.owns(stage_changes), stage_changes.c.day.in_(days))


PASSAGE = ("enrollment_id", "playbook", "arm", "entered_stage", "exit_reason")


def _passages(moment: str) -> Callable[[Subject], Select[Any]]:
    def rows(of: Subject) -> Select[Any]:
        own = enrollments.alias("own")
        ids = select(own.c.enrollment_id).where(of.owns(own))
        at = enrollments.c[moment]
        mine = (enrollments.c.shard == of.shard, enrollments.c.enrollment_id.in_(ids), at.is_not(None))
        return select(at.label("at"), *enrollments.c[PASSAGE]).where(*mine)

    return rows


MESSAGE = ("message_id", "playbook", "step", "channel", "status", "reason", "address", "due_at")


def _messages(of: Subject) -> Select[Any]:
    """At what happened last: it was sent, it ended, or it was planned."""
    at = func.coalesce(messages.c.sent_at, messages.c.finished_at, messages.c.planned_at)
    return select(at.label("at"), *messages.c[MESSAGE]).where(messages.c.shard == of.shard, _is_theirs(of))


def _is_theirs(of: Subject) -> ColumnElement[bool]:
    return messages.c.message_id.in_(_ids(of))


def _ids(of: Subject) -> Select[Any]:
    own = messages.alias("own")
    return select(own.c.message_id).where(of.owns(own))


OUTCOME = ("message_id", "provider", "event_key", "outcome", "detail")


def _outcomes(of: Subject) -> Select[Any]:
    same = and_(messages.c.shard == outcomes.c.shard, messages.c.message_id == outcomes.c.message_id)
    told = (*outcomes.c[OUTCOME], *messages.c["playbook", "step", "channel"])
    rows = select(outcomes.c.happened_at.label("at"), *told).join_from(outcomes, messages, same)
    return rows.where(outcomes.c.shard == of.shard, outcomes.c.message_id.in_(_ids(of)))


CONSENT = ("number", "channel", "topic", "granted", "basis", "wording", "source", "actor")


def _consents(of: Subject) -> Select[Any]:
    return select(consents.c.recorded_at.label("at"), *consents.c[CONSENT]).where(of.owns(consents))


ADDRESS = ("channel", "address", "reason", "source")


def _closed(of: Subject) -> Select[Any]:
    return select(suppressions.c.recorded_at.label("at"), *suppressions.c[ADDRESS]).where(of.has(suppressions))


def _once_closed(moment: str) -> Callable[[Subject], Select[Any]]:
    def rows(of: Subject) -> Select[Any]:
        table = lifted_suppressions
        return select(table.c[moment].label("at"), *table.c["number", *ADDRESS]).where(of.has(table))

    return rows


TEXT = ("number", "sender", "text", "meaning", "reviewed_at", "verdict")


def _texts(of: Subject) -> Select[Any]:
    return select(inbound_texts.c.received_at.label("at"), *inbound_texts.c[TEXT]).where(of.owns(inbound_texts))


ACT = ("number", "actor", "act", "about", "note", "until")


def _acts(of: Subject) -> Select[Any]:
    """What people did to the customer, to a message or to a text of theirs."""
    theirs = union_all(
        select(_text(of, literal(f"customer:{of.customer_id}"))),
        select(_text(of, literal("message:") + cast(messages.c.message_id, Text))).where(of.owns(messages)),
        select(_text(of, literal("text:") + cast(inbound_texts.c.number, Text))).where(of.owns(inbound_texts)),
    )
    return select(audit_log.c.recorded_at.label("at"), *audit_log.c[ACT]).where(audit_log.c.about.in_(theirs))


def _text(of: Subject, made: ColumnElement[str]) -> ColumnElement[str]:
    """In the order of bytes, which the column has too: PostgreSQL compares no text of two orders."""
    return collate(made, "C" if of.dialect == "postgresql" else "BINARY").label("about")


# In the order of one instant, from the earliest: what happened later in the story is newer.
SOURCES = (
    Source("event", "event", {"event_id": str}, _events),
    Source("text", "text", {"number": int}, _texts),
    Source("act", "act", {"number": int}, _acts),
    Source("consent", "consent", {"number": int}, _consents),
    Source("address", "was_closed", {"number": int}, _once_closed("recorded_at")),
    Source("address", "reopened", {"number": int}, _once_closed("lifted_at")),
    Source("address", "closed", {"channel": str}, _closed),
    Source("stage", "stage", {"day": date}, _stage_changes),
    Source("playbook", "goal", {"enrollment_id": int}, _passages("goal_at")),
    Source("playbook", "left", {"enrollment_id": int}, _passages("exited_at")),
    Source("playbook", "entered", {"enrollment_id": int}, _passages("entered_at")),
    Source("message", "message", {"message_id": int}, _messages),
    Source("outcome", "outcome", {"message_id": int, "provider": str, "event_key": str}, _outcomes),
)
