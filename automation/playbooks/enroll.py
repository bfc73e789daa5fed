"""Who enters a playbook and who leaves it: set-based, over a range of shards."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column as TableColumn
from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    and_,
    case,
    exists,
    false,
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
from automation.database.engine import draw
from automation.database.schema import SHARDS, Shards, enrollments, events, messages
from automation.database.statistics import empty_temporary
from automation.database.types import Id, Instant, Key, later
from automation.lifecycle.conditions import Day
from automation.playbooks.model import HOLDOUT, MAIN, Goal, Playbook
from automation.reasons import Reason

leaving = Table(
    "leaving",
    MetaData(),
    TableColumn("shard", SmallInteger, nullable=False),
    TableColumn("enrollment_id", Id, nullable=False),
    TableColumn("reason", Key, nullable=False),
    PrimaryKeyConstraint("shard", "enrollment_id"),
    prefixes=["TEMPORARY"],
)
OPEN = enrollments.c.exited_at.is_(None)


def enter_playbooks(
    connection: Connection, playbooks: Sequence[Playbook], everyone: float, facts: Table, shards: Shards, day: Day
) -> Counter[str]:
    """Enroll whoever may enter. `everyone` is the share that never receives marketing. Returns entries by playbook."""
    today = local_date(day.now, day.zone)
    taking = [playbook for playbook in playbooks if playbook.takes(today) and playbook.stages]
    if not taking:
        return Counter()
    entering = union_all(*(_entering(one, everyone, facts, shards, day) for one in taking)).subquery("entering")
    rows = select(
        entering.c.shard,
        _next_ids(entering).label("enrollment_id"),
        entering.c.customer_id,
        entering.c.playbook,
        entering.c.arm,
        literal(day.now, Instant).label("entered_at"),
        entering.c.entered_stage,
        literal(0).label("next_step"),
        literal(day.now, Instant).label("next_from"),
    )
    connection.execute(insert(enrollments).from_select(list(rows.selected_columns.keys()), rows))
    entered = (
        select(enrollments.c.playbook, func.count())
        .where(shards.of(enrollments), enrollments.c.next_from == day.now, enrollments.c.entered_at == day.now)
        .group_by(enrollments.c.playbook)
    )
    return Counter(dict(connection.execute(entered).all()))


def _entering(playbook: Playbook, everyone: float, facts: Table, shards: Shards, day: Day) -> Any:
    rules = [shards.of(facts), facts.c.stage.in_(sorted(playbook.stages))]
    if playbook.when is not None:
        rules.append(playbook.when.sql(lambda name: facts.c[name], day))
    return select(
        facts.c.shard,
        facts.c.customer_id,
        literal(playbook.key, Key).label("playbook"),
        _arm(playbook, everyone, facts.c.customer_id).label("arm"),
        facts.c.stage.label("entered_stage"),
    ).where(*rules, not_(_may_not_enter(playbook, facts, day)))


def _may_not_enter(playbook: Playbook, facts: Table, day: Day) -> ColumnElement[bool]:
    """Still in the playbook, or was in it (too recently)."""
    barred = exists().where(same_customer(enrollments, facts), enrollments.c.playbook == playbook.key)
    if playbook.model.reenter_after is None:
        return barred
    recent = enrollments.c.exited_at > day.now - playbook.model.reenter_after
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


def _next_ids(entering: Any) -> ColumnElement[int]:
    """n * 256 + shard, with n counted on from the shard's newest row; the order makes equal states give equal ids."""
    newest = (
        select(func.max(enrollments.c.enrollment_id))
        .where(enrollments.c.shard == entering.c.shard)
        .correlate(entering)
        .scalar_subquery()
    )
    order = (entering.c.customer_id, entering.c.playbook)
    counted = func.row_number().over(partition_by=entering.c.shard, order_by=order)
    number: ColumnElement[int] = (func.coalesce(newest // SHARDS, 0) + counted) * SHARDS + entering.c.shard
    return number


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
    empty_temporary(connection, leaving, "1000 10 1")
    reason = _exit_reason(playbooks, facts, day)
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
        update(enrollments)
        .values(exited_at=day.now, exit_reason=_why(enrollments), next_from=None)
        .where(_leaves(enrollments))
    )
    connection.execute(
        update(messages)
        .values(
            # What may have been taken stays uncertain.
            status=case((messages.c.possible_duplicate, "unknown"), else_="canceled"),
            reason=case((messages.c.possible_duplicate, Reason.NO_ANSWER.value), else_=_why(messages)),
            finished_at=day.now,
        )
        .where(_leaves(messages), messages.c.status == "planned")
    )
    return counts


def _leaves(table: Table) -> ColumnElement[bool]:
    return tuple_(table.c.shard, table.c.enrollment_id).in_(select(leaving.c.shard, leaving.c.enrollment_id))


def _why(table: Table) -> ColumnElement[str]:
    of_row = and_(leaving.c.shard == table.c.shard, leaving.c.enrollment_id == table.c.enrollment_id)
    return select(leaving.c.reason).where(of_row).correlate(table).scalar_subquery()


def _exit_reason(playbooks: Sequence[Playbook], facts: Table, day: Day) -> ColumnElement[Any]:
    today = local_date(day.now, day.zone)
    known = [playbook.key for playbook in playbooks]
    ended = [playbook.key for playbook in playbooks if playbook.has_ended(today)]
    stayed = [playbook for playbook in playbooks if playbook.model.stay_while_in_stage]
    asked = [playbook for playbook in playbooks if playbook.exit_when is not None]
    of = enrollments.c.playbook
    rules = _any_of((one.key, one.exit_when.sql(lambda name: facts.c[name], day)) for one in asked if one.exit_when)
    return case(
        (enrollments.c.goal_at.is_not(None), Reason.GOAL_MET.value),
        (of.not_in(known), Reason.PLAYBOOK_REMOVED.value),
        (of.in_(ended), Reason.PLAYBOOK_ENDED.value),
        (rules, Reason.EXIT_RULE.value),
        (_any_of((one.key, facts.c.stage.not_in(sorted(one.stages))) for one in stayed), Reason.LEFT_STAGE.value),
        else_=None,
    )


def _any_of(rules: Iterable[tuple[str, ColumnElement[bool]]]) -> ColumnElement[bool]:
    each = [and_(enrollments.c.playbook == key, rule) for key, rule in rules]
    return or_(false(), *each)
