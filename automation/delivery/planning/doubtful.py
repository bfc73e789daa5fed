"""Which planned messages a gate could stop: found by one query, so that only those are looked at one by one.

Everything a gate asks is asked here too, in the same order and a little more widely: a message that is passed over
would have been `Send`. Where what the gates look at is all in the rows, the query gives their reason itself.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    and_,
    case,
    exists,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    true,
    update,
)

from automation.customers.facts.compute import facts_table, same_customer
from automation.database.schema import OWN, PLANNED, customers, enrollments, messages, offers, suppressions
from automation.database.temporary import counted, empty, shard_column, temporary
from automation.database.types import Id, Key
from automation.database.work import pauses
from automation.delivery.cases import MessageKey, consent_of_message, of_enrollment, to_address
from automation.delivery.decide import WEEK
from automation.delivery.desk import Desk, pauses_at
from automation.playbooks.enroll import exit_reason
from automation.playbooks.model import HOLDOUT
from automation.playbooks.turns import finished
from automation.reasons import Reason

DAY = timedelta(days=1)
MARKETING = messages.c.kind == "marketing"
doubtful = temporary(
    "doubtful",
    shard_column(),
    Column("message_id", Id, primary_key=True, autoincrement=False),
    Column("customer_id", Key, nullable=False),
    Column("enrollment_id", Id, nullable=False),
    Column("verdict", Key, nullable=False),
)
LOOK = "look"  # the verdict on a message that needs a decision; every other one is the reason to skip it


def find_doubtful(
    connection: Connection, desk: Desk, among: ColumnElement[bool], now: datetime, until: datetime
) -> None:
    """Afterwards `doubtful` names the planned messages due before `until` that a gate could stop, with a verdict."""
    empty(connection, doubtful)
    facts = facts_table(desk.book.facts)
    verdict = case(*_verdicts(connection, desk, facts, now)).label("verdict")
    judged = (
        select(*messages.c["shard", "message_id", "customer_id", "enrollment_id"], verdict)
        .join(enrollments, of_enrollment(enrollments))
        .join(customers, same_customer(customers, messages))
        .outerjoin(facts, same_customer(facts, messages))
        .where(among, PLANNED, messages.c.due_at < until)
        .subquery("judged")
    )
    rows = select(judged).where(judged.c.verdict.is_not(None))
    connection.execute(insert(doubtful).from_select(doubtful.columns.keys(), rows))
    counted(connection, doubtful)


def skip_for_sure(connection: Connection, now: datetime) -> Counter[str]:
    """Skip the messages whose verdict is a reason; `finished` then has their passages. Returns how many, by reason."""
    sure = doubtful.c.verdict != LOOK
    counted = select(doubtful.c.verdict, func.count()).where(sure).group_by(doubtful.c.verdict)
    counts: Counter[str] = Counter(dict(connection.execute(counted).all()))
    if counts:
        same = and_(messages.c.shard == doubtful.c.shard, messages.c.message_id == doubtful.c.message_id)
        over = update(messages).values(status="skipped", reason=doubtful.c.verdict, finished_at=now)
        connection.execute(over.where(same, sure))
        passages = select(doubtful.c.shard, doubtful.c.enrollment_id).where(sure)
        connection.execute(insert(finished).from_select(["shard", "enrollment_id"], passages))
    return counts


def doubtful_messages(connection: Connection) -> list[MessageKey]:
    """Those that need a decision, by customer."""
    rows = select(doubtful.c.shard, doubtful.c.message_id).where(doubtful.c.verdict == LOOK)
    found = connection.execute(rows.order_by(doubtful.c.shard, doubtful.c.customer_id, doubtful.c.message_id))
    return [(row.shard, row.message_id) for row in found]


def _verdicts(
    connection: Connection, desk: Desk, facts: Any, now: datetime
) -> Iterator[tuple[ColumnElement[bool], str]]:
    """The gates in their order. Those that only look would hold the message, or end more than the step."""
    yield messages.c.due_at < now, LOOK  # late, or its window has closed since
    yield not_(OWN), LOOK  # other gates are asked of a copy
    yield or_(messages.c.possible_duplicate, facts.c.stale.is_not(false())), LOOK
    yield customers.c.erased_at.is_not(None), LOOK
    yield _is_paused(connection, desk, now), LOOK
    yield _is_suppressed(), Reason.SUPPRESSED_ADDRESS.value
    yield to_address().is_(None), Reason.NO_ADDRESS.value
    yield and_(MARKETING, not_(func.coalesce(consent_of_message(), false()))), Reason.NO_CONSENT.value
    yield exit_reason(list(desk.book.playbooks.values()), facts, desk.day(now)).is_not(None), LOOK
    yield _step_rule_fails(desk, facts, now), Reason.STEP_RULE.value
    yield _offer_expires_before(desk), LOOK
    yield and_(MARKETING, enrollments.c.arm == HOLDOUT), Reason.HOLDOUT.value
    yield and_(MARKETING, _has_company(now)), LOOK


def _is_suppressed() -> ColumnElement[bool]:
    return exists().where(suppressions.c.channel == messages.c.channel, suppressions.c.address == to_address())


def _is_paused(connection: Connection, desk: Desk, now: datetime) -> ColumnElement[bool]:
    scopes = pauses_at(connection, desk.book, now)
    if "everything" in scopes:
        return true()
    keys = sorted(scope.removeprefix("playbook:") for scope in scopes if scope.startswith("playbook:"))
    is_paused = messages.c.playbook.in_(keys)
    # Asked only while somebody is: the join would cost every other day something, too.
    anybody = any(scope.startswith("customer:") for scope in scopes)
    return or_(is_paused, _customer_is_paused(now)) if anybody else is_paused


def _customer_is_paused(now: datetime) -> ColumnElement[bool]:
    goes_on = or_(pauses.c.until.is_(None), pauses.c.until > now)
    return exists().where(pauses.c.scope == "customer:" + messages.c.customer_id, goes_on)


def _step_rule_fails(desk: Desk, facts: Any, now: datetime) -> ColumnElement[bool]:
    day = desk.day(now)
    rules = [
        and_(
            messages.c.playbook == playbook.key,
            messages.c.step == step.key,
            case((step.when.sql(lambda name: facts.c[name], day), false()), else_=true()),
        )
        for playbook in desk.book.playbooks.values()
        for step in playbook.steps
        if step.when is not None
    ]
    return or_(false(), *rules)


def _offer_expires_before(desk: Desk) -> ColumnElement[bool]:
    """The code that an earlier step gave is not valid any more when this one is due."""
    offering = sorted(key for key, playbook in desk.book.playbooks.items() if playbook.model.offer)
    expired = exists().where(of_enrollment(offers), offers.c.expires_at <= messages.c.due_at)
    return and_(messages.c.playbook.in_(offering), expired)


def _has_company(now: datetime) -> ColumnElement[bool]:
    """Another marketing message to the customer on the channel, sent lately or due soon: the caps may be reached."""
    other = messages.alias("other")
    return exists().where(
        same_customer(other, messages),
        other.c.channel == messages.c.channel,
        other.c.message_id != messages.c.message_id,
        other.c.kind == "marketing",
        other.c.again_of.is_(None),
        or_(
            and_(other.c.status.in_(["sent", "sending", "unknown"]), other.c.first_used_at > now - DAY * (WEEK + 2)),
            and_(other.c.status == "planned", other.c.due_at < now + DAY * 2),
        ),
    )
