"""The send log, the newest message first: a page, or all of it as a stream.

Pages follow each other by the instant of planning and the id, not by counting rows: the thousandth is as fast as the
first, and no row is shown twice or left out while new ones are added.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    and_,
    literal,
    literal_column,
    select,
    tuple_,
)

from automation.database.schema import SHARDS, messages
from automation.database.types import Id, Instant
from automation.delivery.answers.alike import ROW, newest_alike
from automation.delivery.answers.history import LogFilter, alike, logged, named, within

PAGE = 1000  # rows in memory at once, however long the log is
SLICE = 20_000  # rows of the log that are looked through at once


class Mark(NamedTuple):
    """A place in the log: right at this message."""

    planned_at: datetime
    message_id: int


@dataclass(frozen=True)
class LogPage:
    """`newer` and `older` are the messages at which the next pages begin, in each direction; None where none is."""

    rows: Sequence[dict[str, Any]]
    newer: int | None = None
    older: int | None = None


def log_page(
    connection: Connection, wanted: LogFilter, size: int, before: int | None = None, after: int | None = None
) -> LogPage:
    """So many rows older than the message `before`, or newer than `after`; else the newest."""
    if after is not None and (mark := _mark(connection, after)) is not None:
        rows = _rows(connection, wanted, size + 1, after=mark)
        if len(rows) > size:
            rows = rows[-size:]
            return LogPage(rows, newer=rows[0]["message_id"], older=rows[-1]["message_id"])
        return log_page(connection, wanted, size)
    mark = None if before is None else _mark(connection, before)
    rows = _rows(connection, wanted, size + 1, before=mark)
    shown, more = rows[:size], len(rows) > size
    newer = shown[0]["message_id"] if shown and mark else None
    return LogPage(shown, newer, shown[-1]["message_id"] if more else None)


def log_rows(
    connection: Connection, wanted: LogFilter, *, at_once: int = PAGE, part: int = SLICE
) -> Iterator[dict[str, Any]]:
    """The newest first, each with LOG_KEYS; however many there are, few are in memory at a time.

    What one page cannot hold is read along the log: each slice of it once, whatever is looked for.
    """
    return islice(_stream(connection, wanted, at_once, part), wanted.limit)


def _stream(connection: Connection, wanted: LogFilter, at_once: int, part: int) -> Iterator[dict[str, Any]]:
    rows = _rows(connection, wanted, min(wanted.limit or at_once, at_once))
    yield from rows
    if len(rows) == at_once:
        last = Mark(rows[-1]["planned_at"], rows[-1]["message_id"])
        few = wanted.is_about_few
        yield from _few(connection, wanted, last, at_once) if few else _along(connection, wanted, last, part)


def _few(connection: Connection, wanted: LogFilter, before: Mark, at_once: int) -> Iterator[dict[str, Any]]:
    while rows := _rows(connection, wanted, at_once, before=before):
        yield from rows
        before = Mark(rows[-1]["planned_at"], rows[-1]["message_id"])


def _along(connection: Connection, wanted: LogFilter, before: Mark, part: int) -> Iterator[dict[str, Any]]:
    while True:
        end = connection.execute(_time(wanted, before).offset(_written(part - 1)).limit(_written(1))).one_or_none()
        near = _time(wanted, before).limit(_written(part)).subquery("near")
        rows = logged().join(near, _is(near)).where(*alike(wanted, messages)).order_by(*_order(near))
        yield from map(dict, connection.execute(rows).mappings())
        if end is None:
            return
        before = Mark(end.planned_at, end.message_id)


def _time(wanted: LogFilter, before: Mark) -> Select[Any]:
    """Rows of the index by time alone, the newest first."""
    older = (*within(wanted, messages), _place(messages) < _at(before))
    return select(*messages.c[*ROW]).where(*older).order_by(*_order(messages))


def _rows(
    connection: Connection, wanted: LogFilter, size: int, before: Mark | None = None, after: Mark | None = None
) -> list[dict[str, Any]]:
    """The newest first; of those after a mark the oldest so many."""

    def newest(rows: Select[Any], of: FromClause, first_by: Sequence[str] = ()) -> Select[Any]:
        cut = [*within(wanted, of)]
        cut += [_place(of) < _at(before)] if before else []
        cut += [_place(of) > _at(after)] if after else []
        return rows.where(*cut).order_by(*_order(of, first_by, ascending=after is not None)).limit(_written(size))

    found = newest(*_found(connection, wanted, newest)).subquery("page")
    # By the page's own columns: by the ledger's, PostgreSQL would go through all of the ledger in that order.
    rows = logged().join(found, _is(found)).order_by(*_order(found))
    return [dict(row) for row in connection.execute(rows).mappings()]


def _found(connection: Connection, wanted: LogFilter, newest: Any) -> tuple[Select[Any], FromClause]:
    """ROW of what is wanted, and of which table it is."""
    if wanted.is_about_few:
        return select(*messages.c[*ROW]).where(*named(wanted), *alike(wanted, messages)), messages
    if not wanted.alike:
        return select(*messages.c[*ROW]), messages
    found = newest_alike(connection, wanted.alike, newest)
    return select(found), found


def _written(number: int) -> ColumnElement[int]:
    """In the statement itself: not told how few rows are wanted, PostgreSQL prepares to read the whole ledger."""
    return literal_column(str(number), Integer)


def _mark(connection: Connection, message_id: int) -> Mark | None:
    mine = and_(messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = connection.execute(select(messages.c.planned_at, messages.c.message_id).where(mine)).one_or_none()
    return Mark(*found) if found else None


def _place(of: FromClause) -> Any:
    return tuple_(of.c.planned_at, of.c.message_id)


def _at(mark: Mark) -> Any:
    return tuple_(literal(mark.planned_at, Instant), literal(mark.message_id, Id))


def _order(of: FromClause, first_by: Sequence[str] = (), *, ascending: bool = False) -> list[ColumnElement[Any]]:
    columns = of.c[*first_by, "planned_at", "message_id"]
    return [one.asc() if ascending else one.desc() for one in columns]


def _is(found: FromClause) -> ColumnElement[bool]:
    return and_(messages.c.shard == found.c.message_id % SHARDS, messages.c.message_id == found.c.message_id)
