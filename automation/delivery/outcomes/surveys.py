"""Somebody answered the survey that a message links to: an event like any other, so that facts, stages and playbooks
see it at the next run.

A customer may think again: every other answer is a new event, and the newest one counts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from automation.customers.consent import lock_customer
from automation.customers.content import told
from automation.customers.facts.compute import same_customer
from automation.customers.facts.touch import touch_one
from automation.customers.rejects import Rejected
from automation.database.engine import lock
from automation.database.schema import SHARDS, customers, events, messages
from automation.playbooks.surveys import COMMENT, EVENT, Survey

MOST = 10  # answers of one message to one survey


@dataclass(frozen=True)
class Answer:
    """What was chosen, and what was said about it; empty when nothing was."""

    value: int | str
    comment: str = ""


@dataclass(frozen=True)
class Given:
    """How often the survey was answered by this message's link, and the newest answer."""

    times: int = 0
    answer: Answer | None = None

    @property
    def is_final(self) -> bool:
        return self.times >= MOST


def find_respondent(connection: Connection, message_id: int) -> Row[Any] | None:
    """Of a message: its customer (shard, customer_id, locale), its id and its playbook. None when there is no such
    customer, or they have been erased.
    """
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = (
        select(*customers.c["shard", "customer_id", "locale"], *messages.c["message_id", "playbook"])
        .select_from(messages.join(customers, same_customer(customers, messages)))
        .where(*mine, customers.c.erased_at.is_(None))
    )
    return connection.execute(found).one_or_none()


def given_by(connection: Connection, respondent: Row[Any], survey: Survey) -> Given:
    of = (events.c.shard == respondent.shard, events.c.customer_id == respondent.customer_id)
    ids = [_event_id(respondent, survey, number) for number in range(1, MOST + 1)]
    rows = select(events.c.event_id, events.c.properties).where(*of, events.c.event_id.in_(ids))
    newest = connection.execute(rows.order_by(events.c.event_id.desc()).limit(1)).one_or_none()
    if newest is None:
        return Given()
    kept = newest.properties
    return Given(ids.index(newest.event_id) + 1, Answer(kept.get(survey.model.property, ""), kept.get(COMMENT, "")))


def answer(connection: Connection, respondent: Row[Any], survey: Survey, said: Answer, now: datetime) -> None:
    """Write an answer down. The same one twice is one, and what comes after the last that is taken changes nothing."""
    lock(connection, "facts", shared=True)  # nobody rebuilds the table in which the customer is marked
    lock_customer(connection, respondent.shard, respondent.customer_id)
    given = given_by(connection, respondent, survey)
    if given.is_final or given.answer == said:
        return
    row = {"shard": respondent.shard, "customer_id": respondent.customer_id, "name": EVENT, "time": now}
    row |= {"event_id": _event_id(respondent, survey, given.times + 1)}
    connection.execute(insert(events), row | {"properties": _properties(respondent, survey, said)})
    touch_one(connection, respondent.shard, respondent.customer_id)


def _event_id(respondent: Row[Any], survey: Survey, number: int) -> str:
    """With two digits, so that the order of the alphabet is that in which they were given."""
    return f"survey:{respondent.message_id}:{survey.key}:{number:02}"


def _properties(respondent: Row[Any], survey: Survey, said: Answer) -> dict[str, Any]:
    found = {"survey": survey.key, survey.model.property: said.value}
    # As text: JSON's numbers are too small for it.
    found |= {"message_id": str(respondent.message_id), "playbook": respondent.playbook}
    return found | ({COMMENT: said.comment} if said.comment else {})


def fit_comment(text: str) -> str:
    """As it can be kept: without control characters, and none that only looks like a date."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    clean = "".join(one for one in lines if one in "\n\t" or not _is_unfit(one)).strip()
    try:
        told({COMMENT: clean}, (COMMENT,), csv=False)
    except Rejected:
        return f"“{clean}”"
    return clean


def _is_unfit(one: str) -> bool:
    return one < " " or "\x7f" <= one <= "\x9f" or "\ud800" <= one <= "\udfff"
