"""A database that is full or locked: the worker lives, nothing is lost, and what a provider answered is kept."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from shop import Shop, at, playbook
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from automation.database.engine import connect
from automation.delivery.dispatch import Dispatch
from automation.delivery.http import Door
from automation.delivery.replies import Answer, Failure
from automation.delivery.sandbox import SandboxServer
from automation.delivery.verify import verify
from automation.errors import DatabaseBusy
from automation.worker.evaluate import prepare_run
from automation.worker.scheduler import Worker

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
HOLD = """import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str, sandbox: SandboxServer) -> Iterator[Shop]:
    """Sixty customers with a message due, on SQLite."""
    shop = Shop(tmp_path, connect(sqlite_url), sandbox.url)
    shop.write(care=playbook())
    shop.customers(*(f"c{number:02}" for number in range(60)))
    shop.evaluate(DAY1)
    yield shop
    shop.database.close()


class Switch:
    """What each connection is told when it is taken from the pool."""

    def __init__(self, shop: Shop, on: str, off: str) -> None:
        self.is_on, self._on, self._off = False, on, off
        event.listen(shop.database.engine, "checkout", self._told)

    def _told(self, connection: Any, *_: Any) -> None:
        connection.execute(self._on if self.is_on else self._off)


class Meanwhile(Door):
    """A door at which something happens when the answer is there and not written down yet."""

    happening: Callable[[], None]

    async def post(self, request: httpx.Request, *, timeout: timedelta) -> Answer | Failure:  # noqa: ASYNC109 (the door's own word)
        heard = await super().post(request, timeout=timeout)
        self.happening()
        return heard


def send(shop: Shop, happening: Callable[[], None]) -> dict[str, Any]:
    def door(most: int) -> Door:
        made = Meanwhile(most)
        made.happening = happening
        return made

    with shop.database.writing() as connection:
        desk = prepare_run(connection, shop.settings, shop.book, at(NOON1))
    return asyncio.run(Dispatch(shop.database, desk, lambda: at(NOON1), "test", door=door).run())


def all_sent_once(shop: Shop) -> bool:
    recipients = [one["recipient"] for one in shop.log()]
    once = len(recipients) == len(set(recipients)) == 60
    return once and {row.status for row in shop.rows()} == {"sent"} and verify(shop.database, shop.settings).ok


def full(shop: Shop) -> Switch:
    with shop.database.reading() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    return Switch(shop, f"PRAGMA max_page_count={pages}", "PRAGMA max_page_count=1000000")


def test_a_full_disk_stops_the_sending_and_not_the_worker(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    switch = full(shop)
    switch.is_on = True
    worker = Worker(shop.database, shop.settings, lambda: at(NOON1))
    worker._guarded(worker.dispatch)  # noqa: SLF001 (as the scheduler calls it)
    assert "database or disk is full" in caplog.text
    assert shop.log() == []
    assert {row.status for row in shop.rows()} == {"planned"}
    switch.is_on = False
    worker._guarded(worker.dispatch)  # noqa: SLF001 (likewise)
    assert all_sent_once(shop)


def test_what_was_answered_while_the_disk_was_full_is_written_when_there_is_room(shop: Shop) -> None:
    switch = full(shop)

    def fill() -> None:
        switch.is_on = True
        threading.Timer(0.8, lambda: setattr(switch, "is_on", False)).start()

    told = send(shop, fill)
    assert told["sent"] == 60
    assert all_sent_once(shop)


def hold(shop: Shop, seconds: float) -> subprocess.Popen[str]:
    """Another process that has locked the database for so long."""
    command = [sys.executable, "-c", HOLD, str(shop.database.engine.url.database), str(seconds)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 (our own program)
    assert process.stdout is not None
    assert process.stdout.readline() == "locked\n"
    return process


def impatient(shop: Shop) -> None:
    Switch(shop, "", "PRAGMA busy_timeout=200")


def test_a_database_that_another_process_has_locked_is_tried_again(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    impatient(shop)
    worker = Worker(shop.database, shop.settings, lambda: at(NOON1))
    with hold(shop, 1) as other:
        worker._guarded(worker.dispatch)  # noqa: SLF001 (as the scheduler calls it)
        assert "DatabaseBusy" in caplog.text
        other.wait()
    worker._guarded(worker.dispatch)  # noqa: SLF001 (likewise)
    assert all_sent_once(shop)


def test_what_was_answered_while_it_was_locked_is_written_afterwards(shop: Shop) -> None:
    impatient(shop)
    others: list[subprocess.Popen[str]] = []
    told = send(shop, lambda: others.append(hold(shop, 1.2)))
    assert told["sent"] == 60
    assert all_sent_once(shop)
    for other in others:
        other.communicate()


def test_by_default_a_writer_waits_for_half_a_minute(shop: Shop) -> None:
    with shop.database.reading() as connection:
        assert connection.execute(text("PRAGMA busy_timeout")).scalar_one() == 30_000
    began = time.monotonic()
    with hold(shop, 1) as other:
        assert shop.send(NOON1)["sent"] == 60
        other.wait()
    assert time.monotonic() - began > 0.9


def test_whoever_is_still_locked_out_then_says_so(shop: Shop) -> None:
    impatient(shop)
    with closing(sqlite3.connect(str(shop.database.engine.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises((DatabaseBusy, OperationalError)):
            shop.send(NOON1)
    assert shop.send(NOON1)["sent"] == 60
