"""The unattended worker. APScheduler is only the ticker: what is due, and what was done, are rows."""

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from automation.database.engine import Database
from automation.delivery.desk import open_desk
from automation.delivery.dispatch import Dispatch
from automation.delivery.recovery.look_up import look_up_due
from automation.delivery.versions import contents_of, require_good
from automation.delivery.workers import worker_name
from automation.errors import BadFiles
from automation.playbooks.load import Book, read_book
from automation.settings import Settings
from automation.worker.evaluate import prepare_run
from automation.worker.only import only_worker
from automation.worker.runs import tick

log = logging.getLogger(__name__)
RUN_EVERY = timedelta(seconds=20)
LOOK_UP_EVERY = timedelta(minutes=1)
DRAIN = timedelta(seconds=30)
Clock = Callable[[], datetime]


class Worker:
    """Evaluates daily and dispatches what is due, until it is told to stop; then it drains."""

    def __init__(self, database: Database, settings: Settings, clock: Clock) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self.name = worker_name()
        self._files = Files(settings)
        self._stopping = threading.Event()
        self._dispatch: Dispatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises SecondWorker."""
        with only_worker(self.database):
            self._run()

    def _run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        scheduler = self._scheduler()
        scheduler.start()
        log.info("worker started", extra={"worker": self.name})
        while not self._stopping.wait(timeout=1):
            pass
        scheduler.pause()
        scheduler.shutdown(wait=True)
        log.info("worker drained", extra={"worker": self.name})

    def stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        """Claim nothing new; what is under way is finished and recorded."""
        del signum, frame
        self._stopping.set()
        if self._dispatch is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._dispatch.stop.set)

    def _scheduler(self) -> BackgroundScheduler:
        # By default a tick that is a second late is dropped, and two may run at once: neither is wanted.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(3)}, job_defaults=defaults, timezone="UTC"
        )
        jobs = (
            (self.evaluate, RUN_EVERY),
            (self.dispatch, self.settings.schedule.dispatch_every),
            (self.look_up, LOOK_UP_EVERY),
        )
        for work, every in jobs:
            trigger = IntervalTrigger(seconds=max(1, int(every.total_seconds())))
            scheduler.add_job(self._guarded, trigger, [work], id=work.__name__, next_run_time=self.clock())
        return scheduler

    def _guarded(self, work: Callable[[], Any]) -> None:
        """A tick that fails is told and tried again at the next one: the worker runs alone for months."""
        if self._stopping.is_set():
            return
        try:
            work()
        except BadFiles as error:
            log.error("the files have problems; nothing is evaluated until they are mended: %s", error)  # noqa: TRY400 (the problems say it all)
        except Exception:
            log.exception("%s failed; it is tried again at the next tick", work.__name__)

    def evaluate(self) -> None:
        """The daily run, if one is due."""
        now = self.clock()
        done = tick(self.database, self.settings, self._files.book(), self.name, now)
        if done is not None:
            log.info("daily run done", extra={key: done[key] for key in ("date", "customers", "changes", "planned")})

    def dispatch(self) -> None:
        """Send what is due."""
        now = self.clock()
        with self.database.writing() as connection:
            desk = prepare_run(connection, self.settings, self._files.book(), now)
        told = asyncio.run(self._send(Dispatch(self.database, desk, self.clock, self.name)))
        if any(value for key, value in told.items() if key != "seconds"):
            log.info("dispatched", extra=told)

    def look_up(self) -> None:
        """Ask providers what became of messages of which nobody knows."""
        with self.database.reading() as connection:
            desk = open_desk(connection, self.settings, self._files.book())
        told = asyncio.run(look_up_due(self.database, desk, self.clock()))
        if told.asked:
            log.info("looked up", extra=told.as_dict())

    async def _send(self, dispatch: Dispatch) -> dict[str, Any]:
        self._dispatch, self._loop = dispatch, asyncio.get_running_loop()
        if self._stopping.is_set():
            dispatch.stop.set()
        try:
            return await dispatch.run()
        finally:
            self._dispatch = self._loop = None


class Files:
    """The marketers' files, read again when one of them changes. Broken ones leave the last good ones in force."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._seen: tuple[tuple[str, int, int], ...] = ()
        self._book: Book | None = None

    def book(self) -> Book:
        """Raises BadFiles only when there never was a good state."""
        seen = self._state()
        if self._book is None or seen != self._seen:
            try:
                self._book = self._read()
            except BadFiles as error:
                if self._book is None:
                    raise
                log.error("the files have problems; their last good state stays in force: %s", error)  # noqa: TRY400 (likewise)
            self._seen = seen
        return self._book

    def _read(self) -> Book:
        book = read_book(self.settings)
        for content in contents_of(book, self.settings).values():
            require_good(content)
        return book

    def _state(self) -> tuple[tuple[str, int, int], ...]:
        paths = self.settings.paths
        folders = {self.settings.path(one) for one in (paths.playbooks, paths.templates)}
        files = {self.settings.path(one) for one in (paths.facts, paths.lifecycle)}
        for folder in folders:
            files |= {file for file in folder.rglob("*") if file.is_file()}
        stats = ((str(file), file.stat()) for file in sorted(files) if file.exists())
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
