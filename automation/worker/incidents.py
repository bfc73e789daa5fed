"""Telling of the worker's own troubles: a tick that fails, files that are broken. It must not fail because of that."""

import logging
from collections.abc import Callable
from datetime import datetime

from automation.database.engine import Database
from automation.delivery.alerts.incidents import Kind
from automation.delivery.alerts.watch import tell_of

log = logging.getLogger(__name__)
LONGEST = 500


class Incidents:
    """Each is told once, until it is over."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def failed(self, work: str, error: Exception) -> None:
        self._tell("run_failed", work, f"{work} failed ({type(error).__name__}); it is tried again, the log says more")

    def well(self, work: str) -> None:
        self._tell("run_failed", work, None)

    def files(self, problems: str | None) -> None:
        """The problems as they are told; None when there are none."""
        self._tell("files_broken", "files", problems and problems[:LONGEST])

    def _tell(self, kind: Kind, about: str, words: str | None) -> None:
        try:
            tell_of(self._database, kind, about, words, self._clock())
        except Exception:
            log.exception("an incident could not be written down")
