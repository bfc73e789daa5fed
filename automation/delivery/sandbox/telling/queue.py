"""What is to be told and what was, in the mailbox's own file, so that a restarted sandbox goes on."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from automation.delivery.sandbox.exchange import stamp
from automation.delivery.sandbox.mailbox import Mailbox, Taken
from automation.delivery.sandbox.telling.telling import Happened

MOST_WAITING = 100_000
MOST_TRIES = 20
RETRY, LONGEST_RETRY = timedelta(seconds=1), timedelta(minutes=5)
COLUMNS = ", ".join(f"taken.{name}" for name in Taken._fields)


class Due(NamedTuple):
    """Something to tell; `tries`: how often that was tried."""

    happened: Happened
    tries: int


class Queue:
    """`pace`: seconds take so many times as long. Used from the server's one thread only."""

    def __init__(self, mailbox: Mailbox, pace: float) -> None:
        self._database = mailbox.database
        self._pace = pace
        self._waiting = self.waiting()

    def add(self, number: int, turns: Iterable[tuple[datetime, str, str]]) -> None:
        """What becomes of the message with this number: when, what, and its words. Left out where too much waits."""
        if self._waiting >= MOST_WAITING:
            return
        rows = [(number, outcome, text, stamp(at), stamp(at)) for at, outcome, text in turns]
        self._waiting += len(rows)
        self._database.executemany("INSERT INTO told (message, outcome, text, at, due) VALUES (?, ?, ?, ?, ?)", rows)

    def due(self, now: datetime, most: int) -> list[Due]:
        rows = self._database.execute(
            f"SELECT told.id AS number, told.outcome, told.text AS words, told.at AS happened_at, tries, {COLUMNS} "
            "FROM told JOIN taken ON taken.id = told.message WHERE due <= ? ORDER BY due LIMIT ?",
            (stamp(now), most),
        )
        return [_due(row, now) for row in rows]

    def next_due(self) -> datetime | None:
        """Asked when there is nothing to tell now."""
        self.waiting()
        found = self._database.execute("SELECT min(due) FROM told WHERE due IS NOT NULL").fetchone()[0]
        return datetime.fromisoformat(found) if found else None

    def waiting(self) -> int:
        """How much there is to tell; counted seldom, because that takes as long as there is much."""
        self._waiting = int(self._database.execute("SELECT count(*) FROM told WHERE due IS NOT NULL").fetchone()[0])
        return self._waiting

    def done(self, number: int, answer: str) -> None:
        self._waiting -= 1
        self._database.execute("UPDATE told SET due = NULL, answer = ? WHERE id = ?", (answer, number))

    def later(self, one: Due, answer: str, now: datetime) -> None:
        """Once more, after a while that doubles each time; given up in the end."""
        if one.tries + 1 >= MOST_TRIES:
            self.done(one.happened.number, f"given up: {answer}")
            return
        wait = min(RETRY * 2**one.tries, LONGEST_RETRY) * self._pace
        self._database.execute(
            "UPDATE told SET due = ?, tries = tries + 1, answer = ? WHERE id = ?",
            (stamp(now + wait), answer, one.happened.number),
        )

    def of(self, number: int) -> list[sqlite3.Row]:
        """What was told of one message, and what is to be."""
        return self._database.execute("SELECT * FROM told WHERE message = ? ORDER BY at, id", (number,)).fetchall()

    def after(self, number: int, size: int) -> list[dict[str, Any]]:
        """The oldest first, those with a higher number."""
        rows = self._database.execute("SELECT * FROM told WHERE id > ? ORDER BY id LIMIT ?", (number, size))
        return [dict(row) for row in rows]


def _due(row: sqlite3.Row, now: datetime) -> Due:
    message = Taken(*(row[name] for name in Taken._fields))
    at = datetime.fromisoformat(row["happened_at"])
    return Due(Happened(message, row["outcome"], at, row["number"], row["words"], now), row["tries"])
