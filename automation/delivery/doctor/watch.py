"""Whether somebody works, when nobody did, and what the nightly check found."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from automation.clock import local_text
from automation.database.work import checks, downtimes, workers
from automation.delivery.doctor.check import Check
from automation.settings import Settings
from automation.values import duration_text

QUIET = timedelta(minutes=5)
NIGHTS = timedelta(days=2)
MINUTE = timedelta(minutes=1)


def worker(connection: Connection, settings: Settings, now: datetime) -> Check:
    """The last sign of life, and the last downtime with what it cost."""
    rows = select(workers.c.seen_at, workers.c.stopped_at).order_by(workers.c.seen_at.desc()).limit(1)
    last = connection.execute(rows).one_or_none()
    if last is None:
        return Check("worker", True, "none has run yet", "`automation run` is the one that works alone")
    gap = connection.execute(select(downtimes).order_by(downtimes.c.ended_at.desc()).limit(1)).one_or_none()
    told = f"last alive {local_text(last.seen_at, settings.business.zone)}" + (_of_downtime(gap) if gap else "")
    died = last.stopped_at is None and now - last.seen_at > QUIET
    return Check("worker", not died, told, "`automation run` starts it; its log says why it ended" if died else "")


def _of_downtime(gap: Row[Any]) -> str:
    lasted = gap.ended_at - gap.began_at
    cost = gap.cost or {"expired": 0, "canceled": 0}
    rounded = duration_text(lasted - lasted % MINUTE)
    return f"; last downtime {rounded} until {gap.ended_at:%Y-%m-%d %H:%M} UTC cost {cost['expired']:,} expired"


def nightly_check(connection: Connection, now: datetime) -> Check:
    name = "nightly check"
    rows = select(checks).where(checks.c.finished_at.is_not(None)).order_by(checks.c.date.desc()).limit(1)
    last = connection.execute(rows).one_or_none()
    if last is None:
        return Check(name, True, "there was none yet", "the worker does it every night, `automation verify` now")
    told = f"of {last.date}, in {last.found['seconds']:,} s: "
    if not last.ok:
        counts = ", ".join(f"{count:,} of {invariant}" for invariant, count in sorted(last.found["counts"].items()))
        return Check(name, False, f"{told}the delivery promise was broken ({counts})", "`automation verify` lists how")
    old = now - last.finished_at > NIGHTS
    return Check(name, not old, f"{told}nothing was found", "is `automation run` running?" if old else "")
