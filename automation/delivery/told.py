"""What was decided about messages that are not sent, written down together."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, bindparam, func, update

from automation.database.schema import enrollments, messages
from automation.database.types import Id, Instant, Key
from automation.delivery.cases import Loaded
from automation.delivery.decide import Hold, Skip
from automation.reasons import Reason

PassageKey = tuple[int, int]


@dataclass
class Told:
    """Rows that wait or are over. `write` returns the passages whose step is over."""

    _held: list[dict[str, Any]] = field(default_factory=list)
    _over: list[dict[str, Any]] = field(default_factory=list)
    _exits: list[dict[str, Any]] = field(default_factory=list)
    _finished: list[PassageKey] = field(default_factory=list)

    def hold(self, loaded: Loaded, decision: Hold) -> None:
        """The row waits, and says until when and why."""
        self._held.append(_of(loaded) | {"new_due_at": decision.until, "new_reason": decision.reason.value})

    def skip(self, loaded: Loaded, decision: Skip) -> str:
        """The row ends without being sent; a canceled one ends the customer's passage too. Returns its status."""
        if decision.status != "canceled":
            self._finish(loaded)
        elif not loaded.case.is_copy:
            exit_row = {"of_shard": loaded.row.shard, "of_id": loaded.row.enrollment_id}
            self._exits.append(exit_row | {"new_reason": decision.reason.value, "met_at": loaded.row.goal_now})
        return self._end(loaded, decision.status, decision.reason)

    def fail(self, loaded: Loaded, reason: Reason) -> None:
        """The row cannot be sent, and disturbs no other."""
        self._end(loaded, "failed", reason)
        self._finish(loaded)

    def was_sent(self, loaded: Loaded) -> None:
        """Somebody else has written that down; its step is over."""
        loaded.case.traffic.planned.pop(loaded.row.message_id, None)
        self._finish(loaded)

    def write(self, connection: Connection, now: datetime) -> list[PassageKey]:
        for statement, rows in ((HOLD, self._held), (END, self._over), (EXIT, self._exits)):
            if rows:
                connection.execute(statement, [{**row, "at": now} for row in rows])
        return self._finished

    def _finish(self, loaded: Loaded) -> None:
        """No step of the passage waits for a copy."""
        if not loaded.case.is_copy:
            self._finished.append((loaded.row.shard, loaded.row.enrollment_id))

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
        goal_at=func.coalesce(enrollments.c.goal_at, bindparam("met_at", type_=Instant)),
    )
    .where(
        enrollments.c.shard == bindparam("of_shard", type_=Integer),
        enrollments.c.enrollment_id == bindparam("of_id", type_=Id),
        enrollments.c.exited_at.is_(None),
    )
)
