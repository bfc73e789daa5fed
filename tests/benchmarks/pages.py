"""The console's first pages and the metrics, over HTTP: a million customers, five million messages."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import uvicorn
from measure import Line, timed
from searching import FILL, MINUTES_5, NUMBERS, SETTLED, WHY
from sending import NOW, give_customers
from sqlalchemy import Connection, insert, text

from automation.database.accounts import users
from automation.database.engine import Database
from automation.database.schema import messages
from automation.database.work import runs, workers
from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.settings import load
from automation.web.accounts.sessions import open_session
from automation.web.app import create_app
from automation.web.console.call import COOKIE

ROWS, PEOPLE = 5_000_000, 1_000_000
SECONDS = "5"  # from one message to the next: 17,280 a day
TIMES = 21
GOAL = 0.1  # seconds
TRIED = """INSERT INTO attempts (shard, message_id, number, provider, started_at, finished_at, reply)
SELECT shard, message_id, 1, provider, sent_at, sent_at, 'accepted' FROM messages WHERE sent_at IS NOT NULL"""
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
    _populate(database)
    listening = listening_on("127.0.0.1", 0)
    app = create_app(database, load(folder / "config.toml"), lambda: NOW)
    with ServerThread(uvicorn.Config(app, log_config=None, lifespan="on"), listening):
        cookie = {"cookie": f"{COOKIE}={_session(database)}"}
        with httpx.Client(base_url=url_of(listening), headers=cookie, trust_env=False, timeout=60) as client:
            for path in ("/", "/health", "/metrics", "/readyz"):
                if client.get(path).status_code == httpx.codes.OK:
                    took = median(timed(partial(_first_byte, client, path)) for _ in range(TIMES))
                    yield Line("pages", where, f"{path}, first byte, median", f"{took * 1000:.0f} ms", took / GOAL, 1)


def _first_byte(client: httpx.Client, path: str) -> None:
    with client.stream("GET", path) as answer:
        answer.raise_for_status()


def _session(database: Database) -> str:
    with database.writing() as connection:
        connection.execute(insert(users), {"name": "ada", "role": "support", "created_at": NOW})
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
        connection.execute(text(AHEAD[connection.dialect.name].format(now=_now(connection))))
        connection.execute(text(TRIED))
        summary: dict[str, Any] = {"changes": 9000, "planned": 17_280, "entered": {}, "exited": {}, "seconds": 4.3}
        done = {"date": NOW.date(), "now": NOW, "status": "done", "started_at": NOW, "finished_at": NOW}
        connection.execute(insert(runs), done | {"summary": summary})
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
