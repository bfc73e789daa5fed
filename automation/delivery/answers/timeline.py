"""Everything that happened to one customer in one order, the newest first, a page at a time.

Each source reads its own table through the customer's index and no further than one page; a page is what is newest in
all of them. Where the next page begins is told by the last row's own place, so that what happens meanwhile neither
repeats a row nor hides one.
"""

import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from operator import index
from typing import Any

from sqlalchemy import ColumnElement, Connection, Date, Row, literal, tuple_
from sqlalchemy.types import TypeEngine

from automation.database.types import Id, Instant, Key
from automation.delivery.answers.timeline_sources import KINDS, SOURCES, Source, Subject
from automation.errors import BadInput, suggest

PAGE = 50


Part = int | str | date


def _text(value: str) -> str:
    """Raises ValueError for what no database keeps."""
    if "\0" in value:
        raise ValueError
    return value.encode().decode()


PARTS: Mapping[type[Part], Callable[[Any], Part]] = {int: index, str: _text, date: date.fromisoformat}
COLUMNS: Mapping[type[Part], TypeEngine[Any]] = {int: Id, str: Key, date: Date()}
LARGEST = 2**63


@dataclass(frozen=True)
class Place:
    """Where a row lies: by instant, then by source, then by the key that its source gives."""

    at: datetime
    rank: int
    key: tuple[Part, ...]

    def __str__(self) -> str:
        """As an address has it."""
        return json.dumps([self.at.isoformat(), self.rank, *self.key], ensure_ascii=False, default=str)

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises BadInput for what no page gave."""
        try:
            return cls._read(*json.loads(text))
        except (ValueError, TypeError, AttributeError, IndexError, RecursionError):
            raise BadInput("no page of the time line begins there; open the customer anew") from None

    @classmethod
    def _read(cls, at: str, rank: int, *key: Any) -> "Place":
        kinds = SOURCES[rank].keys.values()
        parts = tuple(PARTS[kind](part) for kind, part in zip(kinds, key, strict=True))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or rank < 0 or any(isinstance(one, int) and abs(one) >= LARGEST for one in parts):
            raise ValueError
        return cls(moment, rank, parts)


@dataclass(frozen=True)
class Moment:
    """One thing that happened: `kind` is one of KINDS, `what` its sort, `told` the columns of its row."""

    place: Place
    kind: str
    what: str
    told: Mapping[str, Any]

    @property
    def at(self) -> datetime:
        return self.place.at


@dataclass(frozen=True)
class Page:
    """`older` is where the next page begins; None at the end."""

    moments: Sequence[Moment]
    older: Place | None


def time_line(
    connection: Connection,
    customer: Row[Any],
    kinds: Collection[str] = (),
    before: Place | None = None,
    size: int = PAGE,
) -> Page:
    """What happened to them, of these kinds or of all, older than `before`. Raises BadInput for an unknown kind."""
    for kind in kinds:
        if kind not in KINDS:
            raise BadInput(f'the time line has no "{kind}"; {suggest(kind, KINDS)}')
    subject = Subject.of(customer, connection.dialect.name)
    wanted = ((rank, one) for rank, one in enumerate(SOURCES) if not kinds or one.kind in kinds)
    found = [list(_moments(connection, subject, rank, one, before, size + 1)) for rank, one in wanted]
    newest = heapq.merge(*found, key=_order, reverse=True)
    moments = list(islice(newest, size + 1))
    more = len(moments) > size
    return Page(moments[:size], moments[size - 1].place if more else None)


def _order(moment: Moment) -> tuple[datetime, int, tuple[Any, ...]]:
    return moment.place.at, moment.place.rank, moment.place.key


def _moments(
    connection: Connection, subject: Subject, rank: int, source: Source, before: Place | None, limit: int
) -> Iterator[Moment]:
    rows = source.rows(subject)
    columns = {column.name: column for column in rows.selected_columns}
    at, keys = columns.pop("at"), [columns[name] for name in source.keys]
    if before is not None:
        rows = rows.where(_older(at, keys, rank, before))
    newest = rows.order_by(at.desc(), *(key.desc() for key in keys)).limit(limit)
    for row in connection.execute(newest).mappings():
        place = Place(row["at"], rank, tuple(row[name] for name in source.keys))
        yield Moment(place, source.kind, source.what, {name: row[name] for name in columns})


def _older(at: ColumnElement[Any], keys: Iterable[ColumnElement[Any]], rank: int, before: Place) -> ColumnElement[bool]:
    moment = literal(before.at, Instant)
    if rank != before.rank:
        return at <= moment if rank < before.rank else at < moment
    told = (literal(key, COLUMNS[kind]) for key, kind in zip(before.key, SOURCES[rank].keys.values(), strict=True))
    return tuple_(at, *keys) < tuple_(moment, *told)
