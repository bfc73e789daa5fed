"""What a downtime has cost: worked out once, before anything is sent, and told once."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from automation.database.engine import Database
from automation.database.work import runs
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.alerts.watch import MESSAGES
from automation.delivery.desk import Desk
from automation.delivery.planning.late import end_late
from automation.reasons import Reason
from automation.worker import life
from automation.worker.begin import parts_of
from automation.worker.life import Downtime
from automation.worker.runs import due_date

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
        cost = _cost(over, _missed(connection, due_date(desk.settings, now)))
        if life.note_cost(connection, downtime, cost):
            report_downtime(connection, downtime, cost, now)


def _cost(over: Counter[str], missed: Sequence[date]) -> dict[str, Any]:
    return {
        "expired": sum(over[reason] for reason in EXPIRED),
        "canceled": sum(over[reason] for reason in CANCELED),
        "reasons": {reason.value: over[reason] for reason in (*EXPIRED, *CANCELED) if over[reason]},
        "missed": [day.isoformat() for day in missed],
    }


def _missed(connection: Connection, due: date) -> list[date]:
    """The dates that the run which is due will note as missed."""
    last = connection.execute(select(func.max(runs.c.date))).scalar()
    return [last + timedelta(days=one) for one in range(1, (due - last).days)] if last else []


def report_downtime(connection: Connection, downtime: Downtime, cost: Mapping[str, Any], now: datetime) -> None:
    """Called once for each downtime, in the transaction that notes what it has cost."""
    if cost["expired"]:
        lasted = str(downtime.lasted).partition(".")[0]
        words = f"{cost['expired']} messages became too late in a downtime of {lasted}"
        open_incident(connection, "expired_after_downtime", MESSAGES, words, now)
    told = {"began_at": downtime.began_at.isoformat(), "ended_at": downtime.ended_at.isoformat(), **cost}
    log.warning("nobody worked for %s; what was due meanwhile is sent at a ramp", downtime.lasted, extra=told)
