"""What a worker does before its first ordinary tick, in this order, so that nothing is posted that an hour of absence
has made wrong: is the database sound; what became of calls that nobody holds any more; after a long absence, what is
too late ends; today's run, if it is missing. Then sending begins, after a long absence at a ramp.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from automation.database.engine import Database
from automation.database.upgrade import quick_check, require_current
from automation.delivery.desk import Desk
from automation.errors import BadFiles, DatabaseDamaged
from automation.settings import Settings
from automation.worker import life
from automation.worker.downtime import account
from automation.worker.runs import is_settled

log = logging.getLogger(__name__)
TRY_AGAIN = timedelta(seconds=2)
# A run that cannot be done must not keep back for ever what is due: every message is decided anew before it goes.
PATIENCE = timedelta(minutes=5)


class Work(Protocol):
    """What the start asks of the worker."""

    def desk(self, now: datetime) -> Desk:
        """Raises BadFiles where the files never were good."""

    def recover(self) -> Any:
        """Look after the calls that nobody holds any more."""

    def evaluate(self) -> Any:
        """Today's run, if it is missing."""


@dataclass(frozen=True)
class Start:
    """`run` returns when sending may begin, or when the worker is told to stop."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    name: str
    work: Work
    stopping: threading.Event

    def run(self) -> None:
        """Raises WrongSchema and DatabaseDamaged: nothing is written to such a database."""
        require_current(self.database)
        self._arrive()
        for step in (self._files, self._recover, self._account, self._evaluate):
            if not self.stopping.is_set():
                step()

    def _arrive(self) -> None:
        with self.database.writing() as connection:
            clean = life.arrive(connection, self.name, self.clock())
        problems = [] if clean else quick_check(self.database)
        if problems:
            raise DatabaseDamaged(f"{problems[0]}\n{DatabaseDamaged()}")

    def _files(self) -> None:
        """Without playbooks nobody can decide what may go, so broken files are waited for. No sign of life is given
        meanwhile: a long wait counts as downtime.
        """
        while not self.stopping.is_set():
            try:
                self.work.desk(self.clock())
            except BadFiles as error:
                log.error("the files have problems; nothing is done until they are mended: %s", error)  # noqa: TRY400 (the problems say it all)
            except Exception:
                log.exception("the work cannot begin")
            else:
                return
            self._wait()

    def _recover(self) -> None:
        """Every dispatch begins with it, so what fails here is done then."""
        self._tried(self.work.recover)

    def _account(self) -> None:
        self._tried(lambda: account(self.database, self.work.desk(self.clock()), self.clock()))

    def _evaluate(self) -> None:
        since = time.monotonic()
        while not (self.stopping.is_set() or self._tried(self._run_is_settled)):
            if time.monotonic() - since > PATIENCE.total_seconds():
                log.error("today's run cannot be done; what is due is sent without it, and it is tried again")
                return
            self._wait()

    def _run_is_settled(self) -> bool:
        """Others may be at work on it; then it is waited for."""
        self.work.evaluate()
        return is_settled(self.database, self.settings, self.clock())

    def _tried(self, step: Callable[[], Any]) -> Any:
        try:
            return step()
        except Exception:
            log.exception("a step of the start failed")
            return None

    def _wait(self) -> None:
        self.stopping.wait(TRY_AGAIN.total_seconds())
