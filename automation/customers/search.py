"""Whom somebody means: a customer by id or its beginning, by address or by number, each through an index."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import phonenumbers
from sqlalchemy import ColumnElement, Connection, Row, Select, func, literal, select

from automation.customers.content import check_line
from automation.customers.profile import email_address, phone_number
from automation.customers.records import LONGEST_ID
from automation.database.schema import SHARDS, Shards, customers, shard_of

SHOWN = ("shard", "customer_id", "email", "phone", "country", "erased_at")
FEWEST_DIGITS = 6  # fewer are no number that anybody has
LAST_CHARACTER = chr(0x10FFFF)


def is_searchable(text: str) -> bool:
    """Whether an id, an address or a number could be written like this."""
    try:
        check_line(text)
    except ValueError:
        return False
    return 0 < len(text) <= LONGEST_ID


def by_id(connection: Connection, text: str) -> Sequence[Row[Any]]:
    """The customer of this very id."""
    mine = (customers.c.shard == shard_of(text), customers.c.customer_id == text)
    return connection.execute(_shown().where(*mine)).all()


def by_email(connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
    """Those whose address it is, in whatever case it is written."""
    try:
        address = email_address(text)
    except ValueError:
        return ()
    return connection.execute(_in_order(_shown().where(customers.c.email == address), limit)).all()


def by_phone(connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
    """Those whose number it is, in any usual writing; one without its country's code may be of several countries."""
    numbers = numbers_meant(text)
    if not numbers:
        return ()
    return connection.execute(_in_order(_shown().where(customers.c.phone.in_(numbers)), limit)).all()


def by_beginning(connection: Connection, text: str, limit: int) -> Sequence[Row[Any]]:
    """The first so many in the order of ids of those that begin like this.

    Ids are in order within a shard only. The first of each shard tell how far the search has to go: as many as are
    wanted lie before the last of them.
    """
    end = text + LAST_CHARACTER
    firsts = connection.execute(_first_of_each_shard(text, end).limit(limit)).scalars().all()
    if len(firsts) == limit:
        end = firsts[-1]
    near = (Shards().each_of(customers), *_from_to(text, end))
    return connection.execute(_in_order(_shown().where(*near), limit)).all()


def _first_of_each_shard(text: str, end: str) -> Select[Any]:
    number = select(literal(0).label("number")).cte("shards", recursive=True)
    shards = number.union_all(select(number.c.number + 1).where(number.c.number < SHARDS - 1))
    near = (customers.c.shard == shards.c.number, *_from_to(text, end))
    first = select(func.min(customers.c.customer_id)).where(*near).correlate(shards).scalar_subquery()
    found = select(first.label("customer_id")).select_from(shards).subquery("firsts")
    return select(found.c.customer_id).where(found.c.customer_id.is_not(None)).order_by(found.c.customer_id)


def _from_to(first: str, last: str) -> tuple[ColumnElement[bool], ...]:
    return customers.c.customer_id >= first, customers.c.customer_id <= last


def _shown() -> Select[Any]:
    return select(*customers.c[SHOWN])


def _in_order(rows: Select[Any], limit: int) -> Select[Any]:
    return rows.order_by(customers.c.customer_id).limit(limit)


@lru_cache(maxsize=1000)
def numbers_meant(text: str) -> frozenset[str]:
    """Every number, in E.164, that somebody who writes this may mean: with + or 00 one, else one in each country."""
    digits = "".join(one for one in text if one.isdecimal())
    written = text.strip()
    if len(digits) < FEWEST_DIGITS or any(one.isalpha() or one == "@" for one in written):
        return frozenset()
    if written.startswith("+"):
        return frozenset(_number(written, None))
    abroad = f"+{digits[2:]}" if digits.startswith("00") else f"+{digits}"
    return frozenset((*_number(abroad, None), *(number for one in _regions() for number in _number(digits, one))))


def _number(text: str, country: str | None) -> Iterator[str]:
    try:
        yield phone_number(text, country)
    except ValueError:
        return


@lru_cache(maxsize=1)
def _regions() -> tuple[str, ...]:
    """One for each country's code."""
    return tuple(regions[0] for regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values() if regions[0].isalpha())
