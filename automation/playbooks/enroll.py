"""Who enters a playbook and who leaves it: set-based, over a range of shards."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Table,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from automation.clock import local_date
from automation.customers.facts.compute import same_customer
from automation.customers.facts.refresh import touched
from automation.database.engine import draw, lock_shards
from automation.database.numbers import numbered
from automation.database.schema import OWN, Shards, enrollments, events, facts_as_of, messages
from automation.database.temporary import counted, empty, shard_column, temporary
from automation.database.types import Id, Instant, Key, later
from automation.lifecycle.conditions import Day
from automation.playbooks.model import HOLDOUT, MAIN, Goal, Playbook
from automation.playbooks.turns import turns
from automation.reasons import Reason

leaving = temporary(
    "leaving",
    shard_column(),
    Column("enrollment_id", Id, primary_key=True, autoincrement=False),
    Column("reason", Key, nullable=False),
)
entering = temporary(
    "entering",
    shard_column(),
    Column("enrollment_id", Id, primary_key=True, autoincrement=False),
    Column("customer_id", Key, nullable=False),
    Column("playbook", Key, nullable=False),
    Column("arm", Key, nullable=False),
    Column("entered_stage", Key, nullable=False),
)
PASSAGE = ("shard", "enrollment_id", "customer_id", "playbook", "arm")
OPEN = enrollments.c.exited_at.is_(None)


def enter_playbooks(
    connection: Connection, playbooks: Sequence[Playbook], everyone: float, facts: Table, shards: Shards, day: Day
) -> Counter[str]:
    """Enroll whoever may enter; their first step has its turn. Returns entries by playbook.

    `everyone` is the share that never receives marketing.
    """
    today = local_date(day.now, day.zone)
    taking = [playbook for playbook in playbooks if playbook.takes(today) and playbook.stages]
    if not taking:
        empty(connection, turns)
        return Counter()
    found = union_all(*(_entering(one, everyone, facts, shards, day) for one in taking)).subquery("found")
    ours = select(facts_as_of.c.shard).where(shards.of(facts_as_of)).subquery("ours")
    return _admit(connection, found, ours, day)


def enter_one(connection: Connection, playbook: Playbook, asking: FromClause, day: Day) -> None:
    """Enroll the customers named in `asking` (shard, customer_id), each unless they are in it or were lately."""
    rows = select(
        asking.c.shard,
        asking.c.customer_id,
        literal(playbook.key, Key).label("playbook"),
        literal(MAIN, Key).label("arm"),
        literal("", Key).label("entered_stage"),
    ).where(not_(_may_not_enter(playbook, asking, day)))
    _admit(connection, rows.subquery("found"), asking, day)


def _admit(connection: Connection, found: FromClause, ours: FromClause, day: Day) -> Counter[str]:
    """Rows of `found` become passages. `ours` names their shards, at least."""
    lock_shards(connection, ours)
    empty(connection, turns)
    empty(connection, entering)
    found = numbered(enrollments.c.enrollment_id, found, ours, found.c.customer_id, found.c.playbook)
    connection.execute(insert(entering).from_select(found.columns.keys(), select(found)))
    counted(connection, entering)
    _enroll(connection, day)
    connection.execute(insert(turns).from_select(turns.columns.keys(), select(*entering.c[*PASSAGE], literal(0))))
    counted(connection, turns)
    entered = select(entering.c.playbook, func.count()).group_by(entering.c.playbook)
    return Counter(dict(connection.execute(entered).all()))


def _enroll(connection: Connection, day: Day) -> None:
    rows = select(entering, literal(day.now, Instant).label("entered_at"), literal(0).label("next_step"))
    connection.execute(insert(enrollments).from_select(list(rows.selected_columns.keys()), rows))


def _entering(playbook: Playbook, everyone: float, facts: Table, shards: Shards, day: Day) -> Any:
    rules: list[ColumnElement[bool]] = [facts.c.stage.in_(sorted(playbook.stages))]
    if playbook.when is not None:  # first, because most rules are about fewer customers than the stages are
        rules.insert(0, playbook.when.sql(lambda name: facts.c[name], day))
    return select(
        facts.c.shard,
        facts.c.customer_id,
        literal(playbook.key, Key).label("playbook"),
        _arm(playbook, everyone, facts.c.customer_id).label("arm"),
        facts.c.stage.label("entered_stage"),
    ).where(shards.of(facts), *rules, not_(_may_not_enter(playbook, facts, day)))


def _may_not_enter(playbook: Playbook, facts: FromClause, day: Day) -> ColumnElement[bool]:
    """Still in the playbook, or was in it (too recently)."""
    barred = exists().where(same_customer(enrollments, facts), enrollments.c.playbook == playbook.key)
    if playbook.reenter_after is None:
        return barred
    recent = enrollments.c.exited_at > day.now - playbook.reenter_after
    return barred.where(or_(OPEN, recent))


def _arm(playbook: Playbook, everyone: float, customer: ColumnElement[str]) -> ColumnElement[str]:
    """`holdout`, a variant's key, or `main`: drawn from the customer's id, so it is the same on every machine."""
    rules: list[Any] = []
    if playbook.is_marketing and everyone > 0:
        rules.append((draw(literal("everyone:") + customer) < everyone, literal(HOLDOUT)))
    if playbook.is_marketing and playbook.model.holdout > 0:
        rules.append((draw(literal(f"{playbook.key}:holdout:") + customer) < playbook.model.holdout, literal(HOLDOUT)))
    below = 0.0
    for variant in playbook.arms:
        below += variant.weight
        rules.append((draw(literal(f"{playbook.key}:arm:") + customer) < below, literal(variant.key)))
    return case(*rules, else_=literal(MAIN, Key)) if rules else literal(MAIN, Key)


def meet_goals(connection: Connection, playbooks: Iterable[Playbook], day: Day) -> None:
    """Note who did what their playbook hopes for, among the customers in `touched`; events make customers touched."""
    hoping = {playbook.key: playbook.model.goal for playbook in playbooks if playbook.model.goal is not None}
    if not hoping:
        return
    met_at = {key: first_goal(connection, goal, day).scalar_subquery() for key, goal in hoping.items()}
    connection.execute(
        update(enrollments)
        .values(goal_at=case(met_at, value=enrollments.c.playbook))
        .where(
            same_customer(enrollments, touched),
            enrollments.c.playbook.in_(sorted(hoping)),
            enrollments.c.goal_at.is_(None),
        )
    )


def first_goal(connection: Connection, goal: Goal, day: Day) -> Any:
    """The time of the first event that meets an enrollment's goal, as a select correlated to `enrollments`."""
    last = later(enrollments.c.entered_at, goal.within, connection.dialect.name)
    return (
        select(func.min(events.c.time))
        .where(
            same_customer(events, enrollments),
            events.c.name == goal.event,
            events.c.time > enrollments.c.entered_at,
            events.c.time <= last,
            events.c.time <= day.now,
        )
        .correlate(enrollments)
    )


def leave_playbooks(
    connection: Connection, playbooks: Sequence[Playbook], facts: Table, shards: Shards, day: Day
) -> Counter[str]:
    """End the enrollments whose goal is met or whose exit rule holds, and cancel what they had planned.

    Returns exits by playbook.
    """
    empty(connection, leaving)
    reason = exit_reason(playbooks, facts, day)
    found = (
        select(enrollments.c.shard, enrollments.c.enrollment_id, reason.label("reason"))
        .join(facts, same_customer(enrollments, facts))
        .where(shards.of(enrollments), shards.of(facts), OPEN)
        .subquery("found")
    )
    gone = select(found).where(found.c.reason.is_not(None))
    connection.execute(insert(leaving).from_select(["shard", "enrollment_id", "reason"], gone))
    return end_enrollments(connection, shards, day)


def end_enrollments(connection: Connection, shards: Shards, day: Day) -> Counter[str]:
    """End the enrollments in `leaving`; a message that is planned and not being sent is canceled with the reason."""
    same = and_(enrollments.c.shard == leaving.c.shard, enrollments.c.enrollment_id == leaving.c.enrollment_id)
    exited = (
        select(enrollments.c.playbook, func.count())
        .join(leaving, same)
        .where(shards.of(leaving))
        .group_by(enrollments.c.playbook)
    )
    counts: Counter[str] = Counter(dict(connection.execute(exited).all()))
    if not counts:
        return counts
    connection.execute(
        update(enrollments).values(exited_at=day.now, exit_reason=_why(enrollments)).where(_leaves(enrollments))
    )
    connection.execute(
        update(messages)
        .values(
            # What may have been taken stays uncertain.
            status=case((messages.c.possible_duplicate, "unknown"), else_="canceled"),
            reason=case((messages.c.possible_duplicate, Reason.NO_ANSWER.value), else_=_why(messages)),
            finished_at=day.now,
        )
        .where(_leaves(messages), messages.c.status == "planned", OWN)
    )
    return counts


def _leaves(table: Table) -> ColumnElement[bool]:
    return tuple_(table.c.shard, table.c.enrollment_id).in_(select(leaving.c.shard, leaving.c.enrollment_id))


def _why(table: Table) -> ColumnElement[str]:
    of_row = and_(leaving.c.shard == table.c.shard, leaving.c.enrollment_id == table.c.enrollment_id)
    return select(leaving.c.reason).where(of_row).correlate(table).scalar_subquery()


def exit_reason(playbooks: Sequence[Playbook], facts: Table, day: Day) -> ColumnElement[Any]:
    """Why an open enrollment ends, or NULL: the first rule that holds."""
    gone = literal(Reason.PLAYBOOK_REMOVED.value, Key)
    own = {playbook.key: _own_reason(playbook, facts, day) for playbook in playbooks}
    of_playbook = case(own, value=enrollments.c.playbook, else_=gone) if own else gone
    return case((enrollments.c.goal_at.is_not(None), literal(Reason.GOAL_MET.value, Key)), else_=of_playbook)


def _own_reason(playbook: Playbook, facts: Table, day: Day) -> ColumnElement[Any]:
    if playbook.has_ended(local_date(day.now, day.zone)):
        return literal(Reason.PLAYBOOK_ENDED.value, Key)
    rules: list[tuple[ColumnElement[bool], str]] = []
    if playbook.exit_when is not None:
        rules.append((playbook.exit_when.sql(lambda name: facts.c[name], day), Reason.EXIT_RULE.value))
    if playbook.model.stay_while_in_stage:
        rules.append((facts.c.stage.not_in(sorted(playbook.stages)), Reason.LEFT_STAGE.value))
    return case(*rules) if rules else literal(None, Key)
