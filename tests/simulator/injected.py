"""What the modules of the product ask the operating system, answered by the simulator."""

import gc
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from unittest.mock import patch
from uuid import UUID

from automation.delivery.health import trial
from automation.delivery.recovery import lost
from automation.delivery.sandbox.vendors import postmark, resend, twilio
from automation.worker import nightly, runs


@contextmanager
def injected(gone: set[str], chance: Random, note: Callable[[BaseException, str], None]) -> Iterator[None]:
    """Who lives is the simulator's to say, and so are the ids that providers draw. What is logged with an error is
    noted.
    """
    ids = SimpleNamespace(uuid4=lambda: UUID(int=chance.getrandbits(128), version=4))
    with ExitStack() as stack:
        for module in (lost, nightly, runs, trial):
            stack.enter_context(patch.object(module, "is_gone", gone.__contains__))
        for vendor in (postmark, resend, twilio):
            stack.enter_context(patch.object(vendor, "uuid", ids))
        stack.enter_context(_heard(note))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", "coroutine .* was never awaited")  # what a power cut left
        yield
        gc.collect()


@contextmanager
def _heard(note: Callable[[BaseException, str], None]) -> Iterator[None]:
    logger, handler = logging.getLogger("automation"), _Noting(note)
    logger.addHandler(handler)
    propagates, logger.propagate = logger.propagate, False
    try:
        yield
    finally:
        logger.propagate = propagates
        logger.removeHandler(handler)


class _Noting(logging.Handler):
    def __init__(self, note: Callable[[BaseException, str], None]) -> None:
        super().__init__(logging.ERROR)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            self._note(error, record.getMessage())
