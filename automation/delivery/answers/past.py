"""One customer's whole past, loaded once and asked as of an instant: what was known, said and allowed by then.

Profile, addresses and pauses have no history: those are today's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any

from sqlalchemy import Connection, Row, select

from automation.clock import local_date
from automation.customers.facts.refresh import facts_of
from automation.customers.lookup import (
    agreed_to_some,
    consents_of,
    deciding,
    find_customer,
    lifted_of,
    stood,
    suppressions_of,
)
from automation.database.schema import enrollments, messages
from automation.delivery.answers.history import of_customer
from automation.delivery.cases import ended_by, span_of
from automation.delivery.decide import Traffic
from automation.delivery.desk import Desk
from automation.lifecycle.standing import stage_by_rules, stage_history
from automation.playbooks.enroll import first_goal
from automation.playbooks.passages import Passage, passages_of
from automation.reasons import Reason

CHANNELS = ("email", "sms")
MAY_HAVE_BEEN_SENT = frozenset({"sent", "sending", "unknown"})


@dataclass(frozen=True)
class Message:
    """A row of the ledger as it stood at an instant."""

    message_id: int
    enrollment_id: int
    playbook: str
    step: str
    channel: str
    kind: str
    topic: str
    priority: int
    status: str
    reason: str | None
    planned_at: datetime
    due_at: datetime
    deadline: datetime
    address: str | None
    first_used_at: datetime | None
    sent_at: datetime | None
    finished_at: datetime | None
    idempotency_key: str | None
    again_of: int | None = None
    asked_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status == "planned"

    @property
    def decided_at(self) -> datetime | None:
        """When the gates last spoke about it; None while it waits."""
        if self.is_open:
            return None
        never_left = self.status in {"skipped", "expired", "canceled"}
        return self.finished_at if never_left else self.first_used_at or self.finished_at

    def as_of(self, now: datetime) -> "Message":
        """What had not happened yet is taken back; a row tells of the time before only that it waited."""
        if self.is_open or (self.finished_at is not None and self.finished_at <= now):
            return self
        left = self.first_used_at is not None and self.first_used_at <= now
        return replace(self, status="sending" if left else "planned", reason=None, sent_at=None, finished_at=None)


FIELDS = tuple(Message.__dataclass_fields__)


class Later(Mapping[str, Any]):
    """What is worked out when the first of it is asked for, if any is."""

    def __init__(self, find: Callable[[], Mapping[str, Any]]) -> None:
        self._find = find

    @cached_property
    def _found(self) -> Mapping[str, Any]:
        return self._find()

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


class Past:
    """What happened to one customer up to `now`. Raises UnknownCustomer."""

    def __init__(self, connection: Connection, desk: Desk, customer_id: str, now: datetime) -> None:
        self.connection, self.desk, self.now = connection, desk, now
        self.customer = find_customer(connection, customer_id)
        self.consents = consents_of(connection, self.customer, now)
        self.suppressions = suppressions_of(connection, self.customer, now)
        self._lifted = lifted_of(connection, self.customer)
        self.stage_changes = stage_history(connection, customer_id, now)
        self.passages = passages_of(connection, customer_id, now)
        self.messages = self._messages()
        self._facts: dict[datetime, Mapping[str, Any]] = {}

    @property
    def customer_id(self) -> str:
        return str(self.customer.customer_id)

    def _messages(self) -> list[Message]:
        known = messages.c.planned_at <= self.now
        rows = select(*messages.c[*FIELDS]).where(of_customer(self.customer_id), known)
        found = self.connection.execute(rows.order_by(messages.c.message_id))
        return [Message(*row).as_of(self.now) for row in found]

    def messages_of(self, passage: Passage) -> list[Message]:
        return [one for one in self.messages if one.enrollment_id == passage.enrollment_id]

    def facts(self, moment: datetime) -> Mapping[str, Any]:
        """As of the moment, with the stage that the last run before it found."""
        if moment not in self._facts:
            self._facts[moment] = Later(partial(self._facts_then, moment))
        return self._facts[moment]

    def _facts_then(self, moment: datetime) -> Mapping[str, Any]:
        key = (self.customer.shard, self.customer_id)
        today = local_date(moment, self.desk.settings.business.zone)
        found = facts_of(self.connection, self.desk.book.facts, [key], moment, today)[key]
        changes = [one for one in self.stage_changes if one.changed_at <= moment]
        stage = (changes[-1].to_stage, changes[-1].changed_at) if changes else (None, None)
        reached = {f"can_{channel}": self._reachable(channel, moment) for channel in CHANNELS}
        return {**found, "stage": stage[0], "stage_since": stage[1], **reached}

    def facts_for_run(self, moment: datetime) -> Mapping[str, Any]:
        """The same after a run at the moment, with the stage that its rules give."""
        facts = self.facts(moment)
        stage = stage_by_rules(self.desk.book.lifecycle, facts, self.desk.day(moment))
        return facts if stage == facts["stage"] else {**facts, "stage": stage, "stage_since": moment}

    def _reachable(self, channel: str, moment: datetime) -> bool:
        recorded = [row for row in self.consents if stood(row, moment)]
        addressed = self.address(channel) is not None and self.suppression(channel, moment) is None
        return addressed and agreed_to_some(recorded, channel)

    def address(self, channel: str) -> str | None:
        found: str | None = self.customer.email if channel == "email" else self.customer.phone
        return found

    def consent(self, channel: str, topic: str, moment: datetime) -> Row[Any] | None:
        """The record that decides."""
        return deciding((row for row in self.consents if stood(row, moment)), channel, topic)

    def suppression(self, channel: str, moment: datetime) -> Row[Any] | None:
        known = (row for row in self.suppressions if row.channel == channel and row.recorded_at <= moment)
        then = (row for row in self._lifted if row.channel == channel and row.recorded_at <= moment < row.lifted_at)
        return next(known, None) or next(then, None)

    def traffic(self, channel: str, moment: datetime, without: int) -> Traffic:
        """Marketing on the channel by then: what had gone out before, and what else was waiting."""
        others = [one for one in self._marketing(channel, moment) if one.message_id != without]
        went = (one for one in others if one.status in MAY_HAVE_BEEN_SENT and one.first_used_at)
        sent = {one.message_id: span_of(one, moment) for one in went}
        planned = {
            one.message_id: (one.priority, one.due_at)
            for one in others
            if one.status == "planned" and one.due_at < moment + timedelta(days=2)
        }
        return Traffic(sent, planned)

    def _marketing(self, channel: str, moment: datetime) -> Iterator[Message]:
        for one in self.messages:
            counts = one.channel == channel and one.kind == "marketing" and one.again_of is None
            if counts and one.planned_at <= moment:
                yield one.as_of(moment)

    def ended(self, passage: Passage, moment: datetime) -> Reason | None:
        """Why the customer is no longer in the playbook, as the gates would see it."""
        playbook = self.desk.book.playbooks.get(passage.playbook)
        met = passage.goal_at is not None
        if playbook is not None and playbook.model.goal is not None and not met:
            goal = first_goal(self.connection, playbook.model.goal, self.desk.day(moment)).scalar_subquery()
            mine = (
                enrollments.c.shard == self.customer.shard,
                enrollments.c.enrollment_id == passage.enrollment_id,
            )
            met = self.connection.execute(select(goal).select_from(enrollments).where(*mine)).scalar() is not None
        return ended_by(self.desk, playbook, passage.exit_reason, met, self.facts(moment), moment)
