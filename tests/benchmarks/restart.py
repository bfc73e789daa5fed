"""A worker is killed in the middle of a large queue: how long until its successor posts again."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from measure import Line, seconds
from places import ROOT
from sending import give_customers, plan
from sink import Sink

from automation.customers.facts.refresh import refresh
from automation.database.engine import Database
from automation.database.schema import Shards
from automation.playbooks.load import read_book
from automation.settings import load
from automation.worker.evaluate import prepare_run
from automation.worker.runs import tick

GOAL = 5  # seconds
TIMES = 3
STEP = ("trial_offer", "invitation")
CONFIG = (
    ("http://127.0.0.1:8025", "{url}"),
    ("50/second", "100000/second"),
    ('["08:00", "21:00"]', '["00:00", "23:59"]'),
)


def restart(folder: Path, database: Database, customers: int) -> Iterator[Line]:
    """The longest of several restarts, from the start of the process to its first post."""
    where = f"{database.engine.dialect.name}, {customers:,} messages due"
    with provider() as posts:
        _prepare(folder, database, customers, posts.url)
        with worker(folder, database):
            posts.wait_for_more()
        took = [_again(folder, database, posts) for _ in range(TIMES)]
    yield Line(
        "restart",
        where,
        f"killed while it sends: {seconds(min(took))} at best",
        seconds(max(took)),
        max(took) / GOAL,
        1,
    )


def _again(folder: Path, database: Database, posts: "Posts") -> float:
    """Its end is a kill again."""
    started = time.monotonic()
    with worker(folder, database):
        first = posts.wait_for_more()
        posts.wait_for_more()
    return first - started


def _prepare(folder: Path, database: Database, customers: int, url: str) -> None:
    """Today's run is done, and every customer has a message due."""
    config = folder / "config.toml"
    text = config.read_text(encoding="utf-8")
    for old, new in CONFIG:
        text = text.replace(old, new.format(url=url))
    config.write_text(text, encoding="utf-8")
    settings, now = load(config), datetime.now(UTC)
    book = read_book(settings)
    tick(database, settings, book, "one", now)
    give_customers(database, customers)
    with database.writing() as connection:
        desk = prepare_run(connection, settings, book, now)
        refresh(connection, book.facts, Shards(), now, now.date())
    plan(database, desk, *STEP, customers, now)


@contextmanager
def worker(folder: Path, database: Database) -> Iterator[None]:
    url = database.engine.url.render_as_string(hide_password=False)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "AUTOMATION_DATABASE__URL": url}
    command = [sys.executable, "-m", "automation", "run", "--config", str(folder / "config.toml")]
    with (folder / "worker.log").open("a") as log, subprocess.Popen(command, env=environment, stderr=log) as process:  # noqa: S603 (our own program)
        try:
            yield
        finally:
            process.kill()


class Posts:
    """When calls arrived, by the clock of this process."""

    def __init__(self) -> None:
        self.url = ""
        self._arrived = threading.Event()
        self.last = 0.0

    def note(self) -> None:
        self.last = time.monotonic()
        self._arrived.set()

    def wait_for_more(self) -> float:
        self._arrived.clear()
        assert self._arrived.wait(120), "no post in two minutes; see worker.log"
        return self.last


@contextmanager
def provider() -> Iterator[Posts]:
    """The sink, in a thread of this process, so that arrivals are told by the same clock as starts."""
    posts, loop = Posts(), asyncio.new_event_loop()

    class Noting(Sink):
        def data_received(self, data: bytes) -> None:
            posts.note()
            super().data_received(data)

    server = loop.run_until_complete(loop.create_server(Noting, "127.0.0.1", 0))
    posts.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield posts
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
