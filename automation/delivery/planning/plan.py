"""A step whose turn it is becomes a row of the ledger, and the gates are asked about it already now."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, exists, insert, literal, null, select

from automation.customers.facts.compute import same_customer
from automation.database.engine import draw, lock_shards
from automation.database.numbers import numbered
from automation.database.schema import Shards, customers, messages
from automation.database.temporary import empty
from automation.database.types import Instant, Key
from automation.delivery.cases import Loaded, load_cases, of_enrollment
from automation.delivery.decide import Hold, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.planning.doubtful import doubtful_messages, find_doubtful, skip_for_sure
from automation.delivery.planning.timetable import fill_timetable, has_its_turn, timetable
from automation.delivery.told import PassageKey, Told
from automation.playbooks.model import HOLDOUT, Playbook, Step
from automation.playbooks.turns import finish, finished, give_turns, turns

CHUNK = 500
HORIZON = timedelta(days=1)  # messages due before the next daily run are decided in this one


@dataclass
class Planned:
    """How many messages were planned, and what the gates said of those that are due before the next run."""

    count: int = 0
    held: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


def plan_day(connection: Connection, desk: Desk, shards: Shards, now: datetime) -> Planned:
    """Plan the steps whose turn has come, and decide what is due before the next run; a skipped step makes room for the
    next one, which is planned and decided too.
    """
    total = Planned()
    plan_turns(connection, desk, now, total)
    among = shards.each_of(messages)
    while True:
        find_doubtful(connection, desk, among, now, now + HORIZON)
        decide_doubtful(connection, desk, now, total)
        if not give_turns(connection, desk.book.playbooks, now):
            return total
        earliest = plan_turns(connection, desk, now, total)
        if earliest is None or earliest >= now + HORIZON:
            return total
        among = and_(shards.each_of(messages), exists().where(of_enrollment(turns)))


def decide_doubtful(connection: Connection, desk: Desk, now: datetime, total: Planned) -> None:
    """Afterwards `finished` names the passages whose step was skipped."""
    empty(connection, finished)
    total.skipped += skip_for_sure(connection, now)
    waiting = iter(doubtful_messages(connection))
    while chunk := list(islice(waiting, CHUNK)):
        told = Told()
        for loaded in load_cases(connection, desk, chunk, now):
            _note(loaded, told, total)
        finish(connection, told.write(connection, now))


def _note(loaded: Loaded, told: Told, total: Planned) -> None:
    decision = decide(loaded.case)
    if isinstance(decision, Hold):
        total.held[decision.reason] += 1
        told.hold(loaded, decision)
    elif isinstance(decision, Skip):
        total.skipped[decision.reason] += 1
        told.skip(loaded, decision)


def advance(connection: Connection, desk: Desk, passages: Iterable[PassageKey], now: datetime) -> None:
    """The step of these passages is over: the next one's delay begins, and its message is planned at once."""
    passages = list(passages)
    if not passages:
        return
    empty(connection, finished)
    finish(connection, passages)
    if give_turns(connection, desk.book.playbooks, now):
        plan_turns(connection, desk, now, Planned())


def plan_turns(connection: Connection, desk: Desk, now: datetime, total: Planned) -> datetime | None:
    """One row of the ledger for each passage that has its turn. Returns when the first is due."""
    lock_shards(connection, turns)
    earliest = fill_timetable(connection, desk, now)
    if earliest is not None:
        rows = _rows(desk, now)
        total.count += connection.execute(
            insert(messages).from_select(list(rows.selected_columns.keys()), rows)
        ).rowcount
    return earliest


def _rows(desk: Desk, now: datetime) -> Select[Any]:
    rows = numbered(messages.c.message_id, turns, turns, turns.c.enrollment_id)
    copied = ("playbook", "version_id", "channel", "kind", "topic", "priority", "due_at", "deadline")
    return (
        select(
            *rows.c["shard", "message_id", "customer_id", "enrollment_id"],
            *timetable.c[*copied],
            timetable.c.step_key.label("step"),
            _variant(desk.book.playbooks.values(), rows).label("variant"),
            literal("planned", Key).label("status"),
            literal(now, Instant).label("planned_at"),
        )
        .select_from(rows)
        .join(customers, same_customer(customers, rows))
        .join(timetable, has_its_turn(rows))
    )


def _variant(playbooks: Iterable[Playbook], rows: FromClause) -> ColumnElement[Any]:
    """The arm's variant where the step has it; a step with other variants draws by the same number."""
    rules = [rule for playbook in playbooks for step in playbook.steps for rule in _variants_of(playbook, step, rows)]
    return case((rows.c.arm == HOLDOUT, null()), *rules, else_=null()) if rules else literal(None, Key)


def _variants_of(playbook: Playbook, step: Step, rows: FromClause) -> Iterator[tuple[ColumnElement[bool], Any]]:
    variants = step.model.variants
    here = and_(rows.c.playbook == playbook.key, rows.c.step == step.index)
    if variants:
        yield and_(here, rows.c.arm.in_([one.key for one in variants])), rows.c.arm
    below = 0.0
    for variant in variants:
        below += variant.weight
        yield and_(here, draw(literal(f"{playbook.key}:arm:") + rows.c.customer_id) < below), literal(variant.key)
