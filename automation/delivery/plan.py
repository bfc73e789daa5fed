"""An enrollment's next step becomes a row of the ledger, and the gates are asked about it already now."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, Row, bindparam, func, insert, literal, select, tuple_, update

from automation.customers.facts.compute import same_customer
from automation.database.engine import draw_of, lock_shards
from automation.database.schema import SHARDS, Shards, customers, enrollments, messages
from automation.database.types import Id, Instant, Key
from automation.delivery.cases import Loaded, MessageKey, load_cases
from automation.delivery.decide import Hold, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.doubtful import doubtful
from automation.delivery.due import due_at
from automation.playbooks.model import HOLDOUT, Playbook, Step
from automation.reasons import Reason

CHUNK = 500
HORIZON = timedelta(days=1)  # messages due before the next daily run are decided in this one


@dataclass
class Planned:
    """What planning did: `keys` of the rows that are due before the next run."""

    count: int = 0
    keys: list[MessageKey] = field(default_factory=list)
    held: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Planned") -> None:
        self.count += other.count
        self.held += other.held
        self.skipped += other.skipped


def plan_day(connection: Connection, desk: Desk, shards: Shards, now: datetime) -> Planned:
    """Plan every step whose turn has come, then decide all messages that are due before the next run."""
    total = plan_messages(connection, desk, shards.of(enrollments), now)
    total.add(decide_planned(connection, desk, doubtful(connection, desk, shards, now, now + HORIZON), now))
    return total


def decide_planned(connection: Connection, desk: Desk, keys: Iterable[MessageKey], now: datetime) -> Planned:
    """Ask the gates about planned messages; a step that is skipped makes room for the next one, which is asked too."""
    total = Planned()
    waiting = iter(keys)
    while chunk := list(islice(waiting, CHUNK)):
        while chunk:
            told = Told()
            for loaded in load_cases(connection, desk, chunk, now):
                _note(loaded, told, total)
            planned = advance(connection, desk, told.write(connection, now), now)
            total.count += planned.count
            chunk = planned.keys
    return total


def _note(loaded: Loaded, told: "Told", total: Planned) -> None:
    decision = decide(loaded.case)
    if isinstance(decision, Hold):
        total.held[decision.reason] += 1
        told.hold(loaded, decision)
    elif isinstance(decision, Skip):
        total.skipped[decision.reason] += 1
        told.skip(loaded, decision)


Finished = tuple[int, int, datetime]


@dataclass
class Told:
    """What was decided about messages that are not sent, written down together."""

    _held: list[dict[str, Any]] = field(default_factory=list)
    _over: list[dict[str, Any]] = field(default_factory=list)
    _exits: list[dict[str, Any]] = field(default_factory=list)
    _steps: list[tuple[int, int]] = field(default_factory=list)

    def hold(self, loaded: Loaded, decision: Hold) -> None:
        """The row waits, and says until when and why."""
        self._held.append(_of(loaded) | {"new_due_at": decision.until, "new_reason": decision.reason.value})

    def skip(self, loaded: Loaded, decision: Skip) -> str:
        """The row ends without being sent; a canceled one ends the customer's passage too. Returns its status."""
        if decision.status != "canceled":
            self._steps.append((loaded.row.shard, loaded.row.enrollment_id))
        else:
            exit_row = {"of_shard": loaded.row.shard, "of_id": loaded.row.enrollment_id}
            self._exits.append(exit_row | {"new_reason": decision.reason.value, "met_at": loaded.row.goal_now})
        return self._end(loaded, decision.status, decision.reason)

    def fail(self, loaded: Loaded, reason: Reason) -> None:
        """The row cannot be sent, and disturbs no other."""
        self._end(loaded, "failed", reason)
        self._steps.append((loaded.row.shard, loaded.row.enrollment_id))

    def write(self, connection: Connection, now: datetime) -> list[Finished]:
        """Returns the enrollments whose step is over."""
        for statement, rows in ((HOLD, self._held), (END, self._over), (EXIT, self._exits)):
            if rows:
                connection.execute(statement, [{**row, "at": now} for row in rows])
        return [(shard, enrollment_id, now) for shard, enrollment_id in self._steps]

    def _end(self, loaded: Loaded, status: str, reason: Reason) -> str:
        if loaded.row.possible_duplicate:  # an earlier attempt may have been taken: nothing later makes that untrue
            status, reason = "unknown", Reason.NO_ANSWER
        self._over.append(_of(loaded) | {"new_status": status, "new_reason": reason.value})
        return status


def _of(loaded: Loaded) -> dict[str, Any]:
    """Names the row in an executemany; whoever is decided next must not count it as waiting."""
    loaded.case.traffic.planned.pop(loaded.row.message_id, None)
    return {"of_shard": loaded.row.shard, "of_id": loaded.row.message_id}


# Typed here because an executemany with bindparam() does not take a column's type.
NEW_REASON, AT = bindparam("new_reason", type_=Key), bindparam("at", type_=Instant)
WAITING = (
    messages.c.shard == bindparam("of_shard", type_=Integer),
    messages.c.message_id == bindparam("of_id", type_=Id),
    messages.c.status == "planned",
)
HOLD = update(messages).values(due_at=bindparam("new_due_at", type_=Instant), reason=NEW_REASON).where(*WAITING)
END = (
    update(messages)
    .values(status=bindparam("new_status", type_=Key), reason=NEW_REASON, finished_at=AT)
    .where(*WAITING)
)
EXIT = (
    update(enrollments)
    .values(
        exited_at=AT,
        exit_reason=NEW_REASON,
        next_from=None,
        goal_at=func.coalesce(enrollments.c.goal_at, bindparam("met_at", type_=Instant)),
    )
    .where(
        enrollments.c.shard == bindparam("of_shard", type_=Integer),
        enrollments.c.enrollment_id == bindparam("of_id", type_=Id),
        enrollments.c.exited_at.is_(None),
    )
)


def advance(connection: Connection, desk: Desk, finished: Sequence[Finished], now: datetime) -> Planned:
    """Their step is over: the next one's delay begins, and its message is planned at once."""
    if not finished:
        return Planned()
    connection.execute(
        update(enrollments)
        .values(next_step=enrollments.c.next_step + 1, next_from=bindparam("at"))
        .where(
            enrollments.c.shard == bindparam("of_shard"),
            enrollments.c.enrollment_id == bindparam("of_id"),
            enrollments.c.exited_at.is_(None),
        ),
        [{"of_shard": shard, "of_id": enrollment_id, "at": at} for shard, enrollment_id, at in finished],
    )
    ids = sorted({(shard, enrollment_id) for shard, enrollment_id, _ in finished})
    among = tuple_(enrollments.c.shard, enrollments.c.enrollment_id).in_(ids)
    return plan_messages(connection, desk, among, now)


def plan_messages(connection: Connection, desk: Desk, among: ColumnElement[bool], now: datetime) -> Planned:
    """One ledger row for each enrollment whose next step waits to be planned; the last step done ends the passage."""
    found: Any = connection.execute(
        select(
            enrollments.c.shard,
            enrollments.c.enrollment_id,
            enrollments.c.customer_id,
            enrollments.c.playbook,
            enrollments.c.arm,
            enrollments.c.next_step,
            enrollments.c.next_from,
            customers.c.timezone,
            customers.c.country,
            customers.c.phone,
        )
        .join(customers, same_customer(customers, enrollments))
        .where(among, enrollments.c.next_from.is_not(None), enrollments.c.exited_at.is_(None))
        .order_by(enrollments.c.shard, enrollments.c.enrollment_id)
    )
    waiting: list[Row[Any]] = found.all()
    total = Planned()
    numbers = _numbers(connection, sorted({row.shard for row in waiting}))
    for start in range(0, len(waiting), CHUNK * 10):
        _plan(connection, desk, waiting[start : start + CHUNK * 10], numbers, now, total)
    return total


def _plan(
    connection: Connection,
    desk: Desk,
    waiting: Sequence[Row[Any]],
    numbers: dict[int, int],
    now: datetime,
    total: Planned,
) -> None:
    rows, completed = [], []
    for enrollment in waiting:
        playbook = desk.book.playbooks.get(enrollment.playbook)
        if playbook is None or enrollment.next_step >= len(playbook.steps):
            completed.append(_completion(enrollment, playbook, now))
            continue
        numbers[enrollment.shard] += 1
        message_id = numbers[enrollment.shard] * SHARDS + enrollment.shard
        rows.append(_row(desk, enrollment, playbook, playbook.steps[enrollment.next_step], message_id, now))
    if rows:
        connection.execute(insert(messages), rows)
        _wait_no_more(connection, waiting)
    if completed:
        connection.execute(COMPLETE, completed)
    total.count += len(rows)
    total.keys += [(row["shard"], row["message_id"]) for row in rows if row["due_at"] < now + HORIZON]


def _row(
    desk: Desk, enrollment: Row[Any], playbook: Playbook, step: Step, message_id: int, now: datetime
) -> dict[str, Any]:
    zones = desk.zones(enrollment.timezone, enrollment.country, enrollment.phone)
    due = due_at(desk, playbook, step, enrollment.next_from, zones)
    return {
        "shard": enrollment.shard,
        "message_id": message_id,
        "customer_id": enrollment.customer_id,
        "enrollment_id": enrollment.enrollment_id,
        "playbook": playbook.key,
        "version_id": desk.versions[playbook.key],
        "step": step.key,
        "variant": variant_of(playbook, step, enrollment.arm, enrollment.customer_id),
        "channel": step.model.channel,
        "kind": playbook.model.kind,
        "topic": playbook.model.topic,
        "priority": playbook.model.priority,
        "status": "planned",
        "planned_at": now,
        "due_at": due,
        "deadline": due + step.model.late_by,
    }


def variant_of(playbook: Playbook, step: Step, arm: str, customer_id: str) -> str | None:
    """The arm's variant where the step has it; a step with other variants draws by the same number."""
    if arm == HOLDOUT or not step.model.variants:
        return None
    if any(variant.key == arm for variant in step.model.variants):
        return arm
    drawn = draw_of(f"{playbook.key}:arm:{customer_id}")
    for variant in step.model.variants:
        drawn -= variant.weight
        if drawn < 0:
            return variant.key
    return None


def _numbers(connection: Connection, shards: Sequence[int]) -> dict[int, int]:
    """The newest message number of each shard, which is ours to count up until the transaction ends."""
    if not shards:
        return {}
    lock_shards(connection, shards)
    each = select(literal(shards[0]).label("shard")).cte("each", recursive=True)
    each = each.union_all(select(each.c.shard + 1).where(each.c.shard < shards[-1]))
    newest = select(func.max(messages.c.message_id)).where(messages.c.shard == each.c.shard).scalar_subquery()
    found = connection.execute(select(each.c.shard, newest)).all()
    return {shard: message_id // SHARDS if message_id else 0 for shard, message_id in found}


def _completion(enrollment: Row[Any], playbook: Playbook | None, now: datetime) -> dict[str, Any]:
    reason = Reason.COMPLETED if playbook else Reason.PLAYBOOK_REMOVED
    return {"of_shard": enrollment.shard, "of_id": enrollment.enrollment_id, "at": now, "why": reason.value}


COMPLETE = (
    update(enrollments)
    .values(exited_at=bindparam("at"), exit_reason=bindparam("why"), next_from=None)
    .where(enrollments.c.shard == bindparam("of_shard"), enrollments.c.enrollment_id == bindparam("of_id"))
)


def _wait_no_more(connection: Connection, planned: Sequence[Row[Any]]) -> None:
    connection.execute(
        update(enrollments)
        .values(next_from=None)
        .where(enrollments.c.shard == bindparam("of_shard"), enrollments.c.enrollment_id == bindparam("of_id")),
        [{"of_shard": one.shard, "of_id": one.enrollment_id} for one in planned],
    )
