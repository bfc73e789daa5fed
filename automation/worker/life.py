"""Signs of life as rows: who works, and when nobody did. A gap of more than an hour between two signs is a downtime."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, func, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.work import downtimes, workers

SIGN_EVERY = timedelta(seconds=20)
LONG = timedelta(hours=1)  # shorter than this, nothing has become too late that was not late already
FORGOTTEN = timedelta(days=30)


@dataclass(frozen=True)
class Downtime:
    """From the last sign of life to the next one. `cost` is None until it has been worked out."""

    began_at: datetime
    ended_at: datetime
    cost: dict[str, Any] | None = field(default=None, compare=False)

    @property
    def lasted(self) -> timedelta:
        return self.ended_at - self.began_at


def arrive(connection: Connection, worker: str, now: datetime) -> bool:
    """A new process begins. Returns whether every worker before it stopped as it should."""
    last = select(workers.c.stopped_at.is_not(None)).order_by(workers.c.seen_at.desc()).limit(1)
    clean = connection.execute(last).scalar() is not False
    sign(connection, worker, now)
    own = workers.c.name == worker
    connection.execute(update(workers).where(own).values(started_at=now))
    connection.execute(delete(workers).where(workers.c.seen_at < now - FORGOTTEN, ~own))
    return clean


def sign(connection: Connection, worker: str, now: datetime) -> None:
    """The worker lives. If nobody did for long, that is noted, once however many come back together."""
    last_sign = connection.execute(select(func.max(workers.c.seen_at))).scalar()
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
    if last_sign is not None and now - last_sign > LONG:
        gap = insert(downtimes).values(began_at=last_sign, ended_at=now)
        connection.execute(gap.on_conflict_do_nothing(index_elements=["began_at"]))
    seen = insert(workers).values(name=worker, started_at=now, seen_at=now)
    again = {"seen_at": now, "stopped_at": null()}
    connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_=again))


def leave(connection: Connection, worker: str, now: datetime) -> None:
    """The worker has drained and ends."""
    connection.execute(update(workers).where(workers.c.name == worker).values(seen_at=now, stopped_at=now))


def newest_downtime(connection: Connection) -> Downtime | None:
    rows = select(downtimes.c.began_at, downtimes.c.ended_at, downtimes.c.cost)
    found = connection.execute(rows.order_by(downtimes.c.ended_at.desc()).limit(1)).one_or_none()
    return None if found is None else Downtime(*found)


def note_cost(connection: Connection, downtime: Downtime, cost: dict[str, Any]) -> bool:
    """Whether it was us who noted it: it is reported once."""
    open_row = (downtimes.c.began_at == downtime.began_at, downtimes.c.cost.is_(None))
    return connection.execute(update(downtimes).where(*open_row).values(cost=cost)).rowcount == 1
