"""The program as a process of its own, with the shop's configuration and the real clock."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from shop import Shop, playbook, step

ONCE = playbook(step("one", late_by="3 days"), kind="transactional")  # waits for no window


def due_now(shop: Shop, count: int) -> None:
    """So many customers with a message due at this moment."""
    shop.write(care=ONCE)
    shop.customers(*(f"c{number:03}" for number in range(count)))
    shop.evaluate(now())


def now() -> str:
    return datetime.now(UTC).isoformat()


@contextmanager
def started(shop: Shop, *words: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`automation WORDS` with these environment variables; killed at the end if it still runs."""
    command = [sys.executable, "-m", "automation", *words, "--config", str(shop.folder / "config.toml")]
    environment = {**os.environ, "AUTOMATION_SCHEDULE__EVALUATE_AT": "00:00", **variables}
    log = (shop.folder / "process.log").open("a", encoding="utf-8")
    with log, subprocess.Popen(command, stderr=log, stdout=log, text=True, env=environment) as process:  # noqa: S603 (our own program)
        try:
            yield process
        finally:
            process.kill()


def logged(shop: Shop) -> str:
    return (shop.folder / "process.log").read_text(encoding="utf-8")


def until(happened: Callable[[], object], seconds: float = 60) -> float:
    """Wait for it; returns how many seconds it took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.05)
    return time.monotonic() - began
