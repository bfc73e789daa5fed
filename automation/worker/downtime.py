"""What a downtime has cost: worked out once, before anything is sent, and told once."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from automation.clock import local_date
from automation.database.engine import Database
from automation.database.schema import runs
from automation.delivery.desk import Desk
from automation.delivery.planning.late import end_late
from automation.reasons import Reason
from automation.worker import life
from automation.worker.begin import parts_of
from automation.worker.life import Downtime

log = logging.getLogger(__name__)
EXPIRED = (Reason.TOO_LATE, Reason.OFFER_EXPIRED)
CANCELED = (Reason.GOAL_MET, Reason.EXIT_RULE, Reason.LEFT_STAGE, Reason.PLAYBOOK_ENDED, Reason.PLAYBOOK_REMOVED)


def account(database: Database, desk: Desk, now: datetime) -> None:
    """End what is too late after the newest downtime, and tell what it has cost, unless that was done."""
    with database.reading() as connection:
        downtime = life.newest_downtime(connection)
    if downtime is None or downtime.cost is not None:
        return
    over: Counter[str] = Counter()
    for shards in parts_of(database):
        with database.writing() as connection:
            over += end_late(connection, desk, shards, now).skipped
    with database.writing() as connection:
        cost = _cost(connection, desk, downtime, over)
        if life.note_cost(connection, downtime, cost):
            report_downtime(connection, downtime, cost, now)


def _cost(connection: Connection, desk: Desk, downtime: Downtime, over: Counter[str]) -> dict[str, Any]:
    """The daily run ends what is late too, if it was still to be done."""
    zone = desk.settings.business.zone
    first, last = local_date(downtime.began_at, zone), local_date(downtime.ended_at, zone)
    rows = connection.execute(select(runs).where(runs.c.date.between(first, last)).order_by(runs.c.date)).all()
    by_run: Counter[str] = Counter()
    for row in rows:
        if row.status == "done" and row.finished_at >= downtime.ended_at:
            by_run += Counter(row.summary["skipped"])
    total = over + by_run
    return {
        "expired": sum(total[reason] for reason in EXPIRED),
        "canceled": sum(total[reason] for reason in CANCELED),
        "reasons": {reason.value: total[reason] for reason in (*EXPIRED, *CANCELED) if total[reason]},
        "missed": [row.date.isoformat() for row in rows if row.status == "missed"],
    }


def report_downtime(connection: Connection, downtime: Downtime, cost: Mapping[str, Any], now: datetime) -> None:
    """Called once for each downtime, in the transaction that notes what it has cost."""
    del connection, now
    told = {"began_at": downtime.began_at.isoformat(), "ended_at": downtime.ended_at.isoformat(), **cost}
    log.warning("nobody worked for %s; what was due meanwhile is sent at a ramp", downtime.lasted, extra=told)
