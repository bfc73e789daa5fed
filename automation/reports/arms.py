"""What became of those who entered playbooks, counted in the database by playbook and arm."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select

from automation.database.schema import Shards, enrollments, messages
from automation.database.types import Instant
from automation.lifecycle.standing import last_run
from automation.reports.asked import Asked
from automation.reports.figures import Money, Share
from automation.reports.parts import parts
from automation.reports.told import Told, told_of_message

Key = tuple[str, str]
CENT = Decimal("0.01")


@dataclass
class Arm:
    """Passages of one arm. `closed` are those whose time for the goal is over, `met` those of them who met it; the
    money is theirs as well.
    """

    entered: int = 0
    closed: int = 0
    met: int = 0
    told: Told = field(default_factory=Told)
    revenue: dict[str, Decimal] = field(default_factory=dict)

    def __add__(self, other: "Arm") -> "Arm":
        found = Arm(
            self.entered + other.entered, self.closed + other.closed, self.met + other.met, self.told + other.told
        )
        for one in (self, other):
            for currency, amount in one.revenue.items():
                found.earn(currency, amount)
        return found

    def earn(self, currency: str, amount: Decimal) -> None:
        self.revenue[currency] = self.revenue.get(currency, Decimal()) + amount

    @property
    def goal(self) -> Share:
        return Share(self.met, self.closed)

    @property
    def for_each(self) -> Money:
        """Revenue for each closed passage, whether it met the goal or not."""
        each = {key: (amount / self.closed).quantize(CENT) for key, amount in self.revenue.items()}
        return Money(each)


def known_until(asked: Asked) -> datetime:
    """Goals are noted by the daily run: what happened after the last one is not known yet."""
    return min(asked.now, last_run(asked.connection) or asked.now)


def arms_counted(asked: Asked) -> dict[Key, Arm]:
    """By playbook and arm, of the passages that began in the period; without the money."""
    found: dict[Key, Arm] = {}
    until = known_until(asked)
    for shards in parts(asked):
        for playbook, arm, *counts in asked.connection.execute(passages(asked, until, shards)):
            key = (playbook, arm)
            found[key] = found.get(key, Arm()) + Arm(*counts)
        for playbook, arm, told, count in asked.connection.execute(_messages(asked, shards)):
            found[playbook, arm].told.add(told, count)
    return found


def entered(asked: Asked, shards: Shards) -> Iterator[ColumnElement[bool]]:
    """The passages that began in the period."""
    yield shards.each_of(enrollments)
    yield enrollments.c.entered_at >= asked.start
    yield enrollments.c.entered_at < asked.end
    if asked.playbook is not None:
        yield enrollments.c.playbook == asked.playbook


def closed(asked: Asked, until: datetime) -> ColumnElement[bool]:
    """Whether a passage's time for the goal is over; one without a goal that we know of stands as it is."""
    goals = {key: one.model.goal for key, one in asked.book.playbooks.items()}
    cutoffs = {key: literal(until - goal.within, Instant) for key, goal in goals.items() if goal is not None}
    latest: ColumnElement[Any] = literal(until, Instant)
    if cutoffs:
        latest = case(cutoffs, value=enrollments.c.playbook, else_=latest)
    return enrollments.c.entered_at <= latest


def passages(asked: Asked, until: datetime, shards: Shards) -> Select[Any]:
    over, key = closed(asked, until), (enrollments.c.playbook, enrollments.c.arm)
    met = and_(over, enrollments.c.goal_at <= until)
    counts = (func.count(), func.count().filter(over), func.count().filter(met))
    return select(*key, *counts).where(*entered(asked, shards)).group_by(*key)


def _messages(asked: Asked, shards: Shards) -> Select[Any]:
    sent = (messages.c.status == "sent", messages.c.sent_at <= asked.now)
    same = and_(messages.c.shard == enrollments.c.shard, messages.c.enrollment_id == enrollments.c.enrollment_id)
    each = (
        select(enrollments.c.playbook, enrollments.c.arm, told_of_message(asked).label("told"))
        .select_from(enrollments.join(messages, same))
        .where(*entered(asked, shards), *sent)
        .subquery("each")
    )
    key = (each.c.playbook, each.c.arm, each.c.told)
    return select(*key, func.count()).group_by(*key)
