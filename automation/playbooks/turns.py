"""Whose turn it is: passages whose next step is to be planned. A passage is given its turn and planned in one go, so
nothing of this outlives a transaction.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    SmallInteger,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)

from automation.database.schema import enrollments
from automation.database.temporary import counted, empty, shard_column, temporary
from automation.database.types import Id, Instant, Key
from automation.playbooks.model import Playbook
from automation.reasons import Reason

finished = temporary("finished", shard_column(), Column("enrollment_id", Id, primary_key=True, autoincrement=False))
turns = temporary(
    "turns",
    shard_column(),
    Column("enrollment_id", Id, primary_key=True, autoincrement=False),
    Column("customer_id", Key, nullable=False),
    Column("playbook", Key, nullable=False),
    Column("arm", Key, nullable=False),
    Column("step", SmallInteger, nullable=False),
)


def finish(connection: Connection, passages: Iterable[tuple[int, int]]) -> None:
    """Put the passages whose step is over, named by shard and enrollment id, into `finished`."""
    rows = [{"shard": shard, "enrollment_id": enrollment_id} for shard, enrollment_id in passages]
    if rows:
        connection.execute(insert(finished), rows)


def give_turns(connection: Connection, playbooks: Mapping[str, Playbook], now: datetime) -> int:
    """The next step of each passage in `finished` has its turn; after its last step a passage is completed.

    Returns how many have one.
    """
    empty(connection, turns)
    counted(connection, finished)
    connection.execute(_next_steps())
    counted(connection, turns)
    is_over = turns.c.step >= _steps_of(playbooks)
    connection.execute(_moved_on(is_over, sorted(playbooks), now))
    connection.execute(delete(turns).where(is_over))
    return connection.execute(select(func.count()).select_from(turns)).scalar_one()


def _steps_of(playbooks: Mapping[str, Playbook]) -> ColumnElement[int]:
    """How many steps a turn's playbook has: none when it is gone."""
    counts = {key: len(one.steps) for key, one in playbooks.items()}
    return case(counts, value=turns.c.playbook, else_=0) if counts else literal(0)


def _next_steps() -> Any:
    same = and_(enrollments.c.shard == finished.c.shard, enrollments.c.enrollment_id == finished.c.enrollment_id)
    rows = (
        select(*enrollments.c["shard", "enrollment_id", "customer_id", "playbook", "arm"], enrollments.c.next_step + 1)
        .select_from(finished.join(enrollments, same))
        .where(enrollments.c.exited_at.is_(None))
    )
    return insert(turns).from_select(turns.columns.keys(), rows)


def _moved_on(is_over: ColumnElement[bool], known: list[str], now: datetime) -> Any:
    why = case((turns.c.playbook.in_(known), Reason.COMPLETED.value), else_=Reason.PLAYBOOK_REMOVED.value)
    return (
        update(enrollments)
        .values(
            next_step=turns.c.step,
            exited_at=case((is_over, literal(now, Instant))),
            exit_reason=case((is_over, why)),
        )
        .where(enrollments.c.shard == turns.c.shard, enrollments.c.enrollment_id == turns.c.enrollment_id)
    )
