"""The machine the worker runs on: the real worker, with its network, its time and its luck injected."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from simulator.crashes import Inline, Mishap, PowerCut
from simulator.happening import Time
from simulator.line import Providers
from simulator.moments import Loop, Stop
from sqlalchemy.exc import OperationalError

from automation.database.engine import Database
from automation.errors import BadFiles, DatabaseBusy
from automation.settings import Settings
from automation.worker.scheduler import Worker
from automation.worker.start import Start


@dataclass
class Machine:
    """One worker after another. `complete_since`: when the last dispatch began that ran to its end, or None."""

    database: Database
    settings: Settings
    time: Time
    chance: Random
    providers: Providers
    mishap: Mishap
    complete_since: datetime | None = None
    gone: set[str] = field(default_factory=set)
    surprises: list[str] = field(default_factory=list)
    cuts: int = 0
    errors: int = 0
    starts: int = 0

    def __post_init__(self) -> None:
        self._worker: Worker | None = None
        self.is_dispatching = False

    def tick(self) -> None:
        """What the worker does within a minute. Whatever goes wrong in one work is tried again at the next tick."""
        self.complete_since = None
        try:
            worker = self._worker or self._started()
            if worker is not None:
                self._work(worker)
        except PowerCut:
            self.cuts += 1
            self._die()
        finally:
            self.mishap.disarm()

    def stop(self) -> None:
        """The worker is told to stop; it comes back at the next tick."""
        if self._worker is not None:
            self._worker.stop()
            self._stopped = True

    def note(self, error: BaseException, what: str) -> None:
        """What the simulator did not cause is a finding."""
        if isinstance(error, BadFiles):
            return  # nothing goes until they are mended; the worker says so
        if self.mishap.happened and isinstance(error, OperationalError | DatabaseBusy):
            self.errors += 1
        else:
            self.surprises.append(f"{what}: {type(error).__name__}: {error}")

    def later(self, spins: int, act: Callable[[], None]) -> None:
        """After so many turns of the running loop."""
        loop = asyncio.get_running_loop()
        if spins:
            loop.call_soon(lambda: self.later(spins - 1, act))
        else:
            act()

    def _started(self) -> Worker | None:
        """A new worker knows nothing but what the rows say. Some run on another machine than the one before."""
        self.starts += 1
        ours: Any = {"wall": self.time.clock, "door": self.providers.door, "thread": Inline, "running": self._run}
        worker = Worker(self.database, self.settings, self.time.clock, **ours)
        host = socket.gethostname() if self.chance.random() < HERE else "elsewhere"
        worker.name = f"{host}:{self.starts}"
        self._worker, self._stopped = worker, False
        stop = Stop(self.time)
        if not self._guarded(Start(self.database, self.settings, self.time.clock, worker.name, worker, stop).run):
            self._die()
        elif stop.is_set():
            self._worker = None
        return self._worker

    def _work(self, worker: Worker) -> None:
        for work in (worker.sign, worker.evaluate):
            self._guarded(work)
        self._guarded(lambda: self._dispatch(worker))
        for work in (worker.check, worker.look_up, worker.alert):
            if self.chance.random() < RARELY:
                self._guarded(work)

    def _guarded(self, work: Callable[[], Any]) -> bool:
        """Whether nothing went wrong."""
        try:
            work()
        except Exception as error:  # noqa: BLE001 (the worker's own guard does the same)
            self.note(error, work.__name__)
            return False
        return True

    def _dispatch(self, worker: Worker) -> None:
        began = self.time.clock()
        worker.dispatch()
        if self._stopped:
            self._worker = None
        else:
            self.complete_since = began

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        loop = Loop(self.time)
        loop.set_exception_handler(lambda *_: None)
        self.is_dispatching = True
        try:
            return loop.run_until_complete(work)
        finally:
            self.is_dispatching = False
            _abandon(loop)

    def _die(self) -> None:
        self.database.close()
        if self._worker is not None and self._worker.name.startswith(socket.gethostname()):
            self.gone.add(self._worker.name)
        self._worker = None


HERE = 0.7
RARELY = 0.1  # of the ticks


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    """Nobody goes on with what was under way."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    while any(not task.done() for task in tasks):
        try:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        except PowerCut:
            continue
    loop.close()
