"""The unattended worker. APScheduler is only the ticker: what is due, and what was done, are rows."""

import asyncio
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from automation.clock import wall_clock
from automation.database.engine import Database
from automation.delivery.alerts.tell import tell
from automation.delivery.desk import Desk, open_desk
from automation.delivery.dispatch import CHANNELS, Dispatch, one_thread
from automation.delivery.http import Door, Doors
from automation.delivery.outcomes.inbox import keep_house, process
from automation.delivery.recovery.look_up import look_up_due
from automation.delivery.workers import worker_name
from automation.errors import BadFiles
from automation.reports.kept import keep_if_old
from automation.settings import Settings
from automation.worker import life
from automation.worker.evaluate import prepare_run
from automation.worker.files import Files
from automation.worker.incidents import Incidents
from automation.worker.nightly import LOOK_EVERY, check_tonight
from automation.worker.only import only_worker
from automation.worker.ramp import share
from automation.worker.runs import tick
from automation.worker.start import Start

log = logging.getLogger(__name__)
RUN_EVERY = timedelta(seconds=20)
LOOK_UP_EVERY = timedelta(minutes=1)
DRAIN = timedelta(seconds=30)
Clock = Callable[[], datetime]


class Worker:
    """Evaluates daily and dispatches what is due, until it is told to stop; then it drains.

    `wall` is the real time, by which providers count our calls. A simulation has its own, and its own `door` to the
    network, threads and event loop.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        *,
        wall: Clock = wall_clock,
        door: Doors = Door,
        thread: Callable[[], Executor] = one_thread,
        running: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
    ) -> None:
        self.database, self.settings, self.clock = database, settings, clock
        self._wall, self._door, self._thread, self._running = wall, door, thread, running
        self.name = worker_name()
        self._incidents = Incidents(database, clock)
        self._files = Files(settings, self._incidents.files)
        self.stopping = threading.Event()  # for whoever works beside it, too
        self._dispatch: Dispatch | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def run(self) -> None:
        """Work until SIGTERM or SIGINT. Raises SecondWorker."""
        with only_worker(self.database):
            self._run()

    def _run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.stop)
        drained = threading.Event()
        threading.Thread(target=self._end_in_time, args=(drained,), daemon=True).start()
        try:
            self._work()
        finally:
            drained.set()
        log.info("worker drained", extra={"worker": self.name})

    def _work(self) -> None:
        log.info("worker started", extra={"worker": self.name})
        Start(self.database, self.settings, self.clock, self.name, self, self.stopping).run()
        scheduler = self._scheduler()
        scheduler.start()
        while not self.stopping.wait(timeout=1):
            pass
        scheduler.pause()
        scheduler.shutdown(wait=True)
        self._tried(self._leave)

    def _end_in_time(self, drained: threading.Event) -> None:
        """What is under way is finished, within limits: whoever told us to stop does not wait for ever either."""
        self.stopping.wait()
        if not drained.wait(DRAIN.total_seconds()):
            log.error("the worker ends with calls under way; the next start looks after them")
            logging.shutdown()
            os._exit(1)

    def stop(self, signum: int | None = None, frame: FrameType | None = None) -> None:
        """Claim nothing new; what is under way is finished and recorded."""
        del signum, frame
        self.stopping.set()
        if self._dispatch is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(self._dispatch.stop.set)

    def _scheduler(self) -> BackgroundScheduler:
        # By default a tick that is a second late is dropped, and two may run at once: neither is wanted.
        defaults = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(8)}, job_defaults=defaults, timezone="UTC"
        )
        ticks = {
            self.dispatch: self.settings.schedule.dispatch_every,
            self.evaluate: RUN_EVERY,
            self.alert: self.settings.schedule.dispatch_every,
            self.sign: life.SIGN_EVERY,
            self.check: LOOK_EVERY,
            self.count: LOOK_UP_EVERY,
            self.look_up: LOOK_UP_EVERY,
            self.hear: LOOK_UP_EVERY,
        }
        for work, every in ticks.items():
            trigger = IntervalTrigger(seconds=max(1, int(every.total_seconds())))
            first = self.clock() + (LOOK_EVERY if work == self.check else timedelta(0))  # a start has enough to do
            scheduler.add_job(self._guarded, trigger, [work], id=work.__name__, next_run_time=first)
        return scheduler

    def _guarded(self, work: Callable[[], Any]) -> None:
        if not self.stopping.is_set():
            self._tried(work)

    def _tried(self, work: Callable[[], Any]) -> None:
        """A tick that fails is told and tried again at the next one: the worker runs alone for months."""
        try:
            work()
            self._incidents.well(work.__name__)
        except BadFiles as error:
            log.error("the files have problems; nothing is evaluated until they are mended: %s", error)  # noqa: TRY400 (the problems say it all)
        except Exception as error:
            self._incidents.failed(work.__name__, error)
            log.exception("%s failed; it is tried again at the next tick", work.__name__)

    def evaluate(self) -> None:
        """The daily run, if one is due."""
        now = self.clock()
        done = tick(self.database, self.settings, self._files.book(), self.name, now, self.stopping.is_set)
        if done is not None:
            log.info("daily run done", extra={key: done[key] for key in ("date", "customers", "changes", "planned")})

    def dispatch(self) -> None:
        """Send what is due."""
        self._dispatch_on(CHANNELS)

    def recover(self) -> None:
        """Look after the calls that nobody holds any more, and send nothing new."""
        self._dispatch_on(())

    def _dispatch_on(self, channels: Sequence[str]) -> None:
        desk = self.desk(self.clock())
        dispatch = Dispatch(
            self.database,
            desk,
            self.clock,
            self.name,
            wall=self._wall,
            door=self._door,
            thread=self._thread,
            share=self._share(),
        )
        told = self._running(self._send(dispatch, channels))
        if any(value for key, value in told.items() if key != "seconds"):
            log.info("dispatched", extra=told)

    def alert(self) -> None:
        """Tell of incidents; not by the way of sending, which may take hours."""
        self._running(tell(self.database, self.settings, self.clock(), self._door))

    def look_up(self) -> None:
        """Ask providers what became of messages of which nobody knows."""
        book = self._files.book()
        with self.database.reading() as connection:
            desk = open_desk(connection, self.settings, book)
        told = self._running(look_up_due(self.database, desk, self.clock(), door=self._door))
        if told.asked:
            log.info("looked up", extra=told.as_dict())

    def hear(self) -> None:
        """Work out what providers told and nobody has worked out yet."""
        told = process(self.database, self.settings, self.clock)
        keep_house(self.database, self.settings, self.clock())
        if told.new:
            log.info("heard", extra={"events": told.new, "matched": told.matched})

    def desk(self, now: datetime) -> Desk:
        """Everything that deciding needs. Raises BadFiles."""
        book = self._files.book()  # before the transaction: broken files are written down as an incident
        with self.database.writing() as connection:
            return prepare_run(connection, self.settings, book, now)

    def _share(self) -> Callable[[], float]:
        """The share of the rate to send at, moment by moment."""
        with self.database.reading() as connection:
            gap = life.newest_downtime(connection)
        return lambda: share(gap.ended_at, gap.lasted, self.clock()) if gap else 1.0

    def sign(self) -> None:
        """Write that this worker lives."""
        with self.database.writing() as connection:
            life.sign(connection, self.name, self.clock())

    def _leave(self) -> None:
        with self.database.writing() as connection:
            life.leave(connection, self.name, self.clock())

    def check(self) -> None:
        """The nightly check, if it is time and nobody has done it."""
        check_tonight(self.database, self.settings, self.name, self.clock(), self.stopping.is_set)

    def count(self) -> None:
        """The figures that the pages show, if a run came since or they are old."""
        keep_if_old(self.database, self.settings, self._files.book(), self.clock())

    async def _send(self, dispatch: Dispatch, channels: Sequence[str]) -> dict[str, Any]:
        self._dispatch, self._loop = dispatch, asyncio.get_running_loop()
        if self.stopping.is_set():
            dispatch.stop.set()
        try:
            return await dispatch.run(channels)
        finally:
            self._dispatch = self._loop = None
