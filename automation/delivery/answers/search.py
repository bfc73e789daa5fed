"""One box for whatever a customer names themselves by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from automation.customers.search import by_beginning, by_email, by_id, by_phone, is_searchable
from automation.database.schema import SHARDS, messages

MOST = 20
LARGEST = 2**63
By = Literal["id", "message", "email", "phone", "beginning"]


@dataclass(frozen=True)
class Hit:
    """A customer (SHOWN of customers/search.py) and what the words were of theirs."""

    by: By
    customer: Row[Any]


@dataclass(frozen=True)
class Hits:
    """`more`: there are others whose id begins like this."""

    hits: Sequence[Hit]
    more: bool = False


def search(connection: Connection, words: str, limit: int = MOST) -> Hits:
    """Those whose id it is, whose message, address or number; then those whose id begins so. Each customer once."""
    text = words.strip()
    if not is_searchable(text):
        return Hits(())
    found: dict[str, Hit] = {}
    for hit in _hits(connection, text, limit + 1):
        found.setdefault(hit.customer.customer_id, hit)
    return Hits(list(found.values())[:limit], more=len(found) > limit)


def _hits(connection: Connection, text: str, limit: int) -> Iterator[Hit]:
    yield from (Hit("id", row) for row in by_id(connection, text))
    yield from (Hit("message", row) for row in _by_message(connection, text))
    yield from (Hit("email", row) for row in by_email(connection, text, limit))
    yield from (Hit("phone", row) for row in by_phone(connection, text, limit))
    yield from (Hit("beginning", row) for row in by_beginning(connection, text, limit))


def _by_message(connection: Connection, text: str) -> Sequence[Row[Any]]:
    """Whom a message is for."""
    if not (text.isascii() and text.isdecimal() and int(text) < LARGEST):
        return ()
    mine = (messages.c.shard == int(text) % SHARDS, messages.c.message_id == int(text))
    whose = connection.execute(select(messages.c.customer_id).where(*mine)).scalar()
    return () if whose is None else by_id(connection, whose)
