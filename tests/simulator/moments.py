"""An event loop and a stop signal for which waiting takes no time but the simulated one."""

import asyncio
import threading
from datetime import timedelta
from selectors import SelectSelector
from typing import Any

from simulator.happening import Time

PATIENCE = 20  # waits in a row, after which whoever waits is told to stop


class Loop(asyncio.SelectorEventLoop):
    """Where nothing can go on before a timer, the time of that timer comes at once."""

    def __init__(self, time: Time) -> None:
        super().__init__(_Selector(time))
        self._simulated = time

    def time(self) -> float:
        return self._simulated.true.timestamp()


class _Selector(SelectSelector):
    def __init__(self, time: Time) -> None:
        super().__init__()
        self._simulated = time

    def select(self, timeout: float | None = None) -> list[Any]:
        """Raises RuntimeError where nothing will ever happen any more."""
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everybody waits and nobody works")
        if not ready and timeout:
            self._simulated.passes(timedelta(seconds=timeout, microseconds=1))
        return ready


class Stop(threading.Event):
    """A worker's signal to stop. It is given, too, to a worker that waits for long: it comes back later."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._simulated = time
        self._waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self._simulated.passes(timedelta(seconds=timeout or 0))
        self._waits += 1
        if self._waits == PATIENCE:
            self.set()
        return self.is_set()
