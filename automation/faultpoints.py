"""Named places where a test may let this process die, fail, hang or freeze. In production the registry is empty.

The command line fills it from the environment variable `FAULT_POINT`: `recorded=kill@3` kills at the third time that
the place `recorded` is reached. Several are separated by commas.
"""

import os
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

VARIABLE = "FAULT_POINT"
FORM = re.compile(r"(\w+)=(\w+)(?:@([1-9][0-9]{0,8}))?")
SENDING = (
    "plan_committed",
    "claimed",
    "before_render",
    "rendered",
    "before_sending",
    "sending_committed",
    "connected",
    "half_sent",
    "sent",
    "half_heard",
    "before_record",
    "recording",
    "recorded",
)
# Of a provider's call: it is genuine, it is kept and not answered yet, its events are taken over and it still waits.
HEARING = ("hook_verified", "hook_committed", "hook_taken")
POINTS = SENDING + HEARING


class FaultInjected(Exception):
    """A test asked for this."""


def _fail() -> None:
    raise FaultInjected


def _hang() -> None:
    while True:
        time.sleep(60)


ACTIONS: dict[str, Callable[[], None]] = {
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "freeze": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "fail": _fail,
    "hang": _hang,
}


@dataclass
class Fault:
    """What happens at the n-th time, and at no other."""

    act: Callable[[], None]
    left: int

    def reached(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()


REGISTRY: dict[str, Fault] = {}


def reach(point: str) -> None:
    """Does nothing unless somebody armed this point."""
    if REGISTRY and point in REGISTRY:
        REGISTRY[point].reached()


def arm(text: str) -> None:
    """Fill the registry anew. Raises ValueError for a point or an action that does not exist."""
    faults = dict(_fault(one) for one in text.split(",") if one)
    REGISTRY.clear()
    REGISTRY.update(faults)


def _fault(text: str) -> tuple[str, Fault]:
    form = FORM.fullmatch(text)
    if form is None or form[1] not in POINTS or form[2] not in ACTIONS:
        known = f"points: {', '.join(POINTS)}; actions: {', '.join(ACTIONS)}"
        raise ValueError(f'"{text}" is no fault; write one like recorded=kill@3 ({known})')
    return form[1], Fault(ACTIONS[form[2]], int(form[3] or 1))
