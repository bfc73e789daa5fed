"""The sandbox's own log: every message it took, in SQLite, so that its memory stays small."""

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from automation.errors import BadInput

# An empty name is SQLite's private temporary file: it spills to disk and is gone with the connection.
TEMPORARY = ""
SCHEMA = """
CREATE TABLE IF NOT EXISTS taken (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    provider_id TEXT NOT NULL UNIQUE,
    mid TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    at TEXT NOT NULL,
    body_hash TEXT NOT NULL,
    tag TEXT NOT NULL,
    stream TEXT NOT NULL,
    fields TEXT NOT NULL,
    text TEXT NOT NULL,
    html TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS keys (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    at TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS told (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    text TEXT NOT NULL,
    at TEXT NOT NULL,
    due TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS told_due ON told (due) WHERE due IS NOT NULL;
CREATE INDEX IF NOT EXISTS told_of_message ON told (message);
CREATE INDEX IF NOT EXISTS taken_by_mid ON taken (kind, mid);
CREATE INDEX IF NOT EXISTS taken_by_recipient ON taken (kind, recipient, at);
"""
WIDE = "id, kind, provider_id, mid, sender, recipient, subject, at, body_hash, tag, stream, fields, text, html"
NARROW = "id, kind, mid, recipient, subject, at, tag, substr(text, 1, 100) AS text"


class Taken(NamedTuple):
    """One message. `mid` is the sender's own id, `at` ISO 8601 in UTC, `fields` the rest of the request as JSON."""

    kind: str
    provider_id: str
    mid: str
    sender: str
    recipient: str
    subject: str
    at: str
    body_hash: str
    tag: str
    stream: str
    fields: str
    text: str
    html: str


class Answered(NamedTuple):
    """What was answered under an idempotency key: `request` is a hash of what was asked, `answer` JSON."""

    kind: str
    key: str
    request: str
    at: str
    answer: str


def _insert(where: str, columns: Sequence[str]) -> str:
    return f"INSERT {where} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


INSERT_TAKEN = _insert("INTO taken", Taken._fields)
INSERT_ANSWERED = _insert("OR REPLACE INTO keys", Answered._fields)


def body_hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


Then = Callable[[int, Taken], object]  # given the number of each in the mailbox


def _nothing(number: int, message: Taken) -> None:
    """Nobody is to be told."""


class Mailbox:
    """Used from the server's one thread only. Raises BadInput when the file cannot be opened."""

    def __init__(self, keep: Path | None) -> None:
        try:
            self.database = sqlite3.connect(str(keep or TEMPORARY), check_same_thread=False, isolation_level=None)
        except sqlite3.Error as error:
            raise BadInput(f"{keep} cannot be opened ({error}); choose another file with --keep.") from error
        try:
            self.database.row_factory = sqlite3.Row
            self.database.execute("PRAGMA journal_mode = WAL" if keep else "PRAGMA synchronous = OFF")
            self.database.executescript(SCHEMA)
        except sqlite3.Error as error:
            self.close()
            raise BadInput(f"{keep} cannot be used as a mailbox ({error}); choose another file with --keep.") from error

    def close(self) -> None:
        self.database.close()

    def take(self, messages: Iterable[Taken], answered: Answered | None = None, then: Then = _nothing) -> None:
        """All of them, the key that came with them, and what is done `then` with each, in one transaction."""
        self.database.execute("BEGIN IMMEDIATE")
        with self.database:
            for message in messages:
                then(self.database.execute(INSERT_TAKEN, message).lastrowid or 0, message)
            if answered:
                self.database.execute(INSERT_ANSWERED, answered)

    def answered(self, kind: str, key: str, since: str) -> Answered | None:
        """What was answered under the key after that instant."""
        columns = ", ".join(Answered._fields)
        found = self.database.execute(
            f"SELECT {columns} FROM keys WHERE kind = ? AND key = ? AND at > ?", (kind, key, since)
        ).fetchone()
        return Answered(*found) if found else None

    def count(self) -> int:
        return int(self.database.execute("SELECT count(*) FROM taken").fetchone()[0])

    def page(self, size: int, offset: int) -> list[sqlite3.Row]:
        """The newest first, with the beginning of their text."""
        rows = self.database.execute(f"SELECT {NARROW} FROM taken ORDER BY id DESC LIMIT ? OFFSET ?", (size, offset))
        return rows.fetchall()

    def one(self, number: int) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self.database.execute(
            f"SELECT {WIDE} FROM taken WHERE id = ?", (number,)
        ).fetchone()
        return found

    def after(self, number: int, size: int) -> list[dict[str, Any]]:
        """The oldest first, those with a higher number."""
        rows = self.database.execute(f"SELECT {WIDE} FROM taken WHERE id > ? ORDER BY id LIMIT ?", (number, size))
        return [dict(row) for row in rows]

    def search(self, kind: str, where: dict[str, str], size: int, offset: int) -> tuple[int, list[sqlite3.Row]]:
        """How many match, and some of them, newest first. `where`: conditions like `{"recipient =": "…"}`."""
        conditions = " AND ".join(["kind = ?", *(f"{column} ?" for column in where)])
        values = [kind, *where.values()]
        count = self.database.execute(f"SELECT count(*) FROM taken WHERE {conditions}", values).fetchone()[0]
        rows = self.database.execute(
            f"SELECT {WIDE} FROM taken WHERE {conditions} ORDER BY id DESC LIMIT ? OFFSET ?", [*values, size, offset]
        )
        return count, rows.fetchall()

    def clear(self) -> None:
        self.database.executescript("BEGIN; DELETE FROM taken; DELETE FROM keys; DELETE FROM told; COMMIT;")
