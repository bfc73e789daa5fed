"""The machine the worker runs on: it does what the unattended worker does at each tick, with everything injected."""

import asyncio
import logging
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from simulator.crashes import Inline, Mishap, PowerCut
from simulator.happening import Time
from simulator.line import Providers
from sqlalchemy.exc import OperationalError

from automation.database.engine import Database
from automation.delivery.dispatch import Dispatch
from automation.delivery.recovery import lost
from automation.delivery.sandbox import postmark, twilio
from automation.delivery.sandbox import resend as resend_vendor
from automation.errors import BadFiles, DatabaseBusy
from automation.settings import Settings
from automation.worker import runs
from automation.worker.evaluate import prepare_run
from automation.worker.scheduler import Files


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
    _number: int = 0

    def __post_init__(self) -> None:
        self._start()

    def _start(self) -> None:
        """A new worker, which knows nothing but what the rows say. Some run on another machine than the one before."""
        self._number += 1
        self._files = Files(self.settings)
        self.dispatching: Dispatch | None = None
        host = socket.gethostname() if self.chance.random() < 0.7 else "elsewhere"
        self.name = f"{host}:{self._number}"

    def tick(self) -> None:
        """Evaluate, when that is due, and dispatch. Whatever goes wrong in one is tried again at the next tick."""
        self.complete_since = None
        try:
            for work in (self._evaluate, self._dispatch):
                self._guarded(work)
        except PowerCut:
            self.cuts += 1
            self._die()
        finally:
            self.mishap.disarm()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BadFiles:
            pass  # nothing goes until they are mended; the worker says so
        except (OperationalError, DatabaseBusy) as error:
            self.errors += 1
            if not self.mishap.happened:
                self.surprises.append(f"{work.__name__}: {type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001 (what the simulator did not cause is a finding)
            self.surprises.append(f"{work.__name__}: {type(error).__name__}: {error}")

    def _evaluate(self) -> None:
        runs.tick(self.database, self.settings, self._files.book(), self.name, self.time.clock())

    def _dispatch(self) -> None:
        began = self.time.clock()
        with self.database.writing() as connection:
            desk = prepare_run(connection, self.settings, self._files.book(), began)
        dispatch = Dispatch(self.database, desk, self.time.clock, self.name, door=self.providers.door, thread=Inline)
        self._run(self._send(dispatch))
        if not dispatch.stop.is_set():
            self.complete_since = began

    async def _send(self, dispatch: Dispatch) -> None:
        self.dispatching = dispatch
        try:
            await dispatch.run()
        finally:
            self.dispatching = None

    def later(self, spins: int, act: Callable[[], None]) -> None:
        """After so many turns of the running loop."""
        loop = asyncio.get_running_loop()
        if spins:
            loop.call_soon(lambda: self.later(spins - 1, act))
        else:
            act()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda *_: None)
        try:
            loop.run_until_complete(work)
        finally:
            _abandon(loop)

    def _die(self) -> None:
        self.dispatching = None
        self.database.close()
        if self.name.startswith(socket.gethostname()):
            self.gone.add(self.name)
        self._start()


def _abandon(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    while any(not task.done() for task in tasks):
        try:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        except PowerCut:
            continue
    loop.close()


@contextmanager
def injected(gone: set[str], chance: Random) -> Iterator[None]:
    """Who lives is the simulator's to say, and so are the ids that providers draw."""
    ids = SimpleNamespace(uuid4=lambda: UUID(int=chance.getrandbits(128), version=4))
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    with ExitStack() as stack:
        for module in (lost, runs):
            stack.enter_context(patch.object(module, "is_gone", gone.__contains__))
        for vendor in (postmark, resend_vendor, twilio):
            stack.enter_context(patch.object(vendor, "uuid", ids))
        yield
    logging.disable(level)
