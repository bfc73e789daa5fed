"""One life of a worker: it does what is due and ends, unless it is killed before."""

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select

from automation import faultpoints
from automation.clock import wall_clock
from automation.database.engine import Database, open_database
from automation.database.schema import PLANNED, SENDING, messages
from automation.settings import Settings, load
from automation.worker.only import only_worker
from automation.worker.runs import is_settled
from automation.worker.scheduler import Worker

DONE, WAITING = 0, 3  # what a life that was not killed ends with: all is sent, or something waits for its time


def live(config: Path, ahead: timedelta, faults: str, first: Callable[[], None] | None = None) -> None:
    """Evaluate and send by a clock that is `ahead`, with these fault points armed. `first` is called at birth."""
    faultpoints.arm(faults)
    if first is not None:
        first()
    settings = load(config)
    database = open_database(settings)
    worker = Worker(database, settings, lambda: wall_clock() + ahead)
    with only_worker(database):
        worker.evaluate()
        worker.dispatch()
    sys.exit(DONE if _is_done(database, settings, wall_clock() + ahead) else WAITING)


def _is_done(database: Database, settings: Settings, now: datetime) -> bool:
    """The day was run, nothing is in flight, and nothing is planned for today. A run waits for its lease when the
    number of the process that held it is another one's by now.
    """
    if not is_settled(database, settings, now):
        return False
    with database.reading() as connection:
        flying = connection.execute(select(func.count()).select_from(messages).where(SENDING)).scalar_one()
        soon = messages.c.due_at < now + timedelta(hours=1)
        planned = connection.execute(select(func.count()).select_from(messages).where(PLANNED, soon)).scalar_one()
    return not flying and not planned
