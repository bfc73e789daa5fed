"""What became of every message: the provider's own log and the database, and nothing else, are read."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, and_, select

from automation.database.engine import Database
from automation.database.schema import messages, offers
from automation.delivery.verify import verify
from automation.settings import Settings


@dataclass(frozen=True)
class Finding:
    """What a trial found.

    `taken` is how often the provider took a message, by its own log. `lost` are messages that have no row, that are not
    over, or that are shown as sent though nobody took them. `duplicated` were taken again without being marked as a
    possible duplicate. `violations` are messages that were taken and are shown as neither sent nor unknown, and what
    `verify` found.
    """

    kills: int
    messages: int
    taken: int
    lost: int
    duplicated: int
    unknown: int
    violations: int
    seed: int
    seconds: float

    @property
    def ok(self) -> bool:
        return not (self.lost or self.duplicated or self.violations)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def check(database: Database, settings: Settings, mailbox: Path, expected: int) -> dict[str, int]:
    """All counts of a finding. `expected`: how many messages there should be."""
    found: Counter[str] = Counter()
    with database.reading() as connection:
        taken = _taken(connection, mailbox)
        for message_id, status, possible_duplicate in connection.execute(select(*messages.c[*LOOKED_AT])):
            found.update(_of_row(taken.pop(message_id, 0), status, marked=possible_duplicate))
    found["messages"] = expected
    found["lost"] += max(0, expected - found.pop("rows", 0))
    found["violations"] += len(taken) + sum(verify(database, settings).counts.values())
    return {name: found[name] for name in COUNTED}


LOOKED_AT = ("message_id", "status", "possible_duplicate")
COUNTED = ("messages", "taken", "lost", "duplicated", "unknown", "violations")


def _of_row(times: int, status: str, *, marked: bool) -> Iterator[str]:
    yield "rows"
    yield from ["taken"] * times
    if status not in {"sent", "unknown"} or (status == "sent" and not times):
        yield "lost"
    if status == "unknown":
        yield "unknown"
    if times and status not in {"sent", "unknown"}:
        yield "violations"
    if not marked:
        yield from ["duplicated"] * (times - 1)


def _taken(connection: Connection, mailbox: Path) -> Counter[int]:
    """How often the provider took each message."""
    by_code = _texts_by_code(connection)
    with closing(sqlite3.connect(mailbox)) as log:
        rows = log.execute("SELECT mid, text FROM taken")
        return Counter(int(mid) if mid else by_code[_code_in(text)] for mid, text in rows)


def _texts_by_code(connection: Connection) -> Mapping[str, int]:
    """A text tells no id of ours, but it has a code of its own in it."""
    mine = and_(offers.c.shard == messages.c.shard, offers.c.enrollment_id == messages.c.enrollment_id)
    rows = connection.execute(select(offers.c.code, messages.c.message_id).join(messages, mine).where(TEXT))
    return {row.code: row.message_id for row in rows}


TEXT = messages.c.channel == "sms"


def _code_in(text: str) -> str:
    return text.partition("code is ")[2].partition(". ")[0]
