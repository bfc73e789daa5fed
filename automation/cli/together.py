"""The worker and the web application in one process: both end when one of them does."""

import logging
import threading
from collections.abc import Callable

from automation.cli.output import errors
from automation.database.engine import Database
from automation.delivery.outcomes.at_home import unheard
from automation.errors import WebEnded
from automation.settings import Settings
from automation.web.server import Clock, Serving, serving
from automation.worker.scheduler import Worker

log = logging.getLogger(__name__)
LOOK_EVERY = 0.2  # seconds


def telling(settings: Settings, *, as_json: bool) -> Callable[[str], object]:
    """Where people are told something, or the log, when all of it shall be JSON. It tells which calls are refused."""
    tell = log.info if as_json else errors.print
    for name, hint in unheard(settings).items():
        tell(f"calls of {name} are refused, for there is nothing to check them with: {hint}")
    return tell


def work_and_serve(database: Database, settings: Settings, clock: Clock, tell: Callable[[str], object]) -> None:
    """Until SIGTERM or SIGINT; then both drain. Raises PortTaken, SecondWorker, WebEnded."""
    with serving(database, settings, clock, tell) as web:
        worker = Worker(database, settings, clock)
        threading.Thread(target=end_together, args=(worker, web), daemon=True).start()
        worker.run()
    if web.failed:
        raise WebEnded


def end_together(worker: Worker, web: Serving) -> None:
    """Whichever is over first, the other does not go on alone: half a process looks like a whole one from outside."""
    while not worker.stopping.wait(LOOK_EVERY) and web.is_alive():
        pass
    web.stop()
    worker.stop()
