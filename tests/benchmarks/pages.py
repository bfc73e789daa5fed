"""Every page of the console and the metrics, over HTTP: a million customers, five million messages."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median

import httpx
import uvicorn
from measure import Line, timed
from searching import FILL, MINUTES_5, NUMBERS, SETTLED, WHY
from sending import NOW, give_customers
from sqlalchemy import Connection, insert, select, text

from automation.database.accounts import users
from automation.database.engine import Database
from automation.database.schema import events, messages, shard_of
from automation.database.work import workers
from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.playbooks.load import Book, read_book
from automation.reports.kept import keep_figures
from automation.settings import Settings, load
from automation.web.accounts.sessions import open_session
from automation.web.app import create_app
from automation.web.console.call import COOKIE
from automation.worker.runs import evaluate

ROWS, PEOPLE = 5_000_000, 1_000_000
SECONDS = "5"  # from one message to the next: 17,280 a day
TIMES = 21
GOAL = 0.1  # seconds
TRIED = """INSERT INTO attempts (shard, message_id, number, provider, started_at, finished_at, reply)
SELECT shard, message_id, 1, provider, sent_at, sent_at, 'accepted' FROM messages WHERE sent_at IS NOT NULL"""
PASSAGES = """INSERT INTO enrollments (shard, enrollment_id, customer_id, playbook, arm, entered_at, entered_stage,
 exited_at, exit_reason, next_step) SELECT shard, enrollment_id, customer_id, playbook, 'main', planned_at, 'aware',
 planned_at, 'exit_rule', 1 FROM messages"""
BUSY = "c00123456"
# A third of the day's is still to come.
AHEAD = {
    "sqlite": "UPDATE messages SET status = 'planned', reason = NULL, sent_at = NULL, finished_at = NULL,"
    " due_at = planned_at + 43200000000 WHERE planned_at > {now} - 28800000000",
    "postgresql": "UPDATE messages SET status = 'planned', reason = NULL, sent_at = NULL, finished_at = NULL,"
    " due_at = planned_at + interval '12 hours' WHERE planned_at > CAST('{now}' AS timestamptz) - interval '8 hours'",
}


def pages(folder: Path, database: Database) -> Iterator[Line]:
    """Each page's median time until its first byte, with a goal of 100 ms."""
    where = f"{database.engine.dialect.name}, {PEOPLE:,} customers, {ROWS:,} messages"
    settings = load(folder / "config.toml")
    _populate(database)
    _count(database, settings)
    listening = listening_on("127.0.0.1", 0)
    app = create_app(database, settings, lambda: NOW)
    with ServerThread(uvicorn.Config(app, log_config=None, lifespan="on"), listening):
        cookie = {"cookie": f"{COOKIE}={_session(database)}"}
        with httpx.Client(base_url=url_of(listening), headers=cookie, trust_env=False, timeout=60) as client:
            for path in _paths(database):
                client.get(path).raise_for_status()  # files are read and statements compiled once
                took = median(timed(partial(_first_byte, client, path)) for _ in range(TIMES))
                yield Line("pages", where, path, f"{took * 1000:.0f} ms", took / GOAL, 1)


def _first_byte(client: httpx.Client, path: str) -> None:
    with client.stream("GET", path) as answer:
        answer.raise_for_status()


def _paths(database: Database) -> list[str]:
    """Each page; the customer is the one with five hundred events."""
    with database.reading() as connection:
        mine = select(messages.c.message_id).where(messages.c.customer_id == BUSY, messages.c.shard == shard_of(BUSY))
        message = connection.execute(mine.order_by(messages.c.message_id.desc()).limit(1)).scalar_one()
    lists = ["/", "/log", "/log?status=skipped", "/log?q=c00777777%40example.com", "/customers?q=c0077", "/playbooks"]
    one = [f"/customer?id={BUSY}", f"/customer?id={BUSY}&playbook=win_back", f"/messages/{message}"]
    others = ["/playbooks/win_back", "/lifecycle", "/health", "/audit", "/users", "/metrics", "/readyz"]
    return lists + one + others


def _count(database: Database, settings: Settings) -> None:
    """Everybody's stage is worked out, and the figures of pages are counted, as after a run."""
    book = read_book(settings)
    evaluate(database, settings, Book(book.facts, book.lifecycle, {}), "far-away:1", NOW)
    with database.writing() as connection:
        connection.execute(text(AHEAD[connection.dialect.name].format(now=_now(connection))))
    took = timed(lambda: keep_figures(database, settings, book, NOW))
    print(f"  figures of pages are counted in {took:.1f} s", flush=True)


def _session(database: Database) -> str:
    with database.writing() as connection:
        connection.execute(insert(users), {"name": "ada", "role": "admin", "created_at": NOW})
        return open_session(connection, "ada", NOW)


def _populate(database: Database) -> None:
    give_customers(database, PEOPLE)
    with database.writing() as connection:
        for index in sorted(messages.indexes, key=lambda one: str(one.name)):
            index.drop(connection)
    with database.writing() as connection:
        _fill(connection)
    with database.writing() as connection:
        for index in sorted(messages.indexes, key=lambda one: str(one.name)):
            index.create(connection)
        connection.execute(text(TRIED))
        connection.execute(text(PASSAGES))
        busy = {"shard": shard_of(BUSY), "customer_id": BUSY, "name": "Page Viewed", "properties": {"path": "/p/1"}}
        when = [NOW - timedelta(hours=number) for number in range(500)]
        connection.execute(insert(events), [{**busy, "event_id": str(time), "time": time} for time in when])
        connection.execute(insert(workers), {"name": "far-away:1", "started_at": NOW, "seen_at": NOW})
    if not database.is_sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _now(connection: Connection) -> int | str:
    return int(NOW.timestamp() * 1_000_000) if connection.dialect.name == "sqlite" else NOW.isoformat()


def _fill(connection: Connection) -> None:
    kind = connection.dialect.name
    people = """CREATE TEMPORARY TABLE people AS SELECT row_number() OVER (ORDER BY customer_id) - 1 AS number, shard,
 customer_id, email, phone FROM customers"""
    connection.execute(text(people))
    connection.execute(text("CREATE INDEX people_by_number ON people (number)"))
    at = MINUTES_5[kind].format(now=_now(connection)).replace("4 seconds", f"{SECONDS} seconds")
    words = {"numbers": NUMBERS[kind], "people": PEOPLE, "at": at.replace("4000000", f"{SECONDS}000000")}
    filled = FILL.format(**words, planned=f"{SETTLED} AS status, {WHY} AS reason")
    connection.execute(text(filled), {"first": 0, "last": ROWS, "rows": ROWS})
