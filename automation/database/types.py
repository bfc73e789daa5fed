"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    Interval,
    Numeric,
    Text,
    TypeDecorator,
    cast,
    extract,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import JSON, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MICROSECONDS = 1_000_000
DECIMALS = 4
SMALLEST = Decimal(1).scaleb(-DECIMALS)

# Byte order on both databases, so that sorting and pagination never disagree.
Key = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
Json = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
Id = BigInteger().with_variant(Integer, "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC instant: `timestamptz` on PostgreSQL, microseconds since 1970 on SQLite (8 bytes, compared fast)."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))
        return dialect.type_descriptor(Integer())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "postgresql":
            found: datetime = value.astimezone(UTC)
            return found
        return EPOCH + timedelta(microseconds=value)


class Number(TypeDecorator[Decimal]):
    """An amount or a count with four decimals: `numeric` on PostgreSQL.

    SQLite has no decimals: there a value is rounded to four decimals wherever it is computed, which makes it the one
    double nearest to the exact amount, so that sums in any order, comparisons and PostgreSQL agree.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric())
        return dialect.type_descriptor(Float())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if value is None or dialect.name == "postgresql":
            return value
        return float(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 (the library's signature)
        if value is None:
            return None
        whole = int(value)
        return Decimal(whole) if whole == value else Decimal(str(value)).quantize(SMALLEST).normalize()


def later(instant: ColumnElement[Any], delta: timedelta, dialect: str) -> ColumnElement[Any]:
    """A stored instant moved by a duration, in SQL."""
    if dialect == "postgresql":
        return type_coerce(instant + literal(delta, Interval), Instant)
    return type_coerce(type_coerce(instant, Integer) + delta // MICROSECOND, Instant)


def seconds_since_1970(instant: ColumnElement[Any], dialect: str) -> ColumnElement[int]:
    """Of a stored instant, whole, in SQL."""
    if dialect == "sqlite":
        return type_coerce(instant, Integer) // MICROSECONDS
    return cast(func.floor(cast(extract("epoch", instant), Numeric)), BigInteger)
