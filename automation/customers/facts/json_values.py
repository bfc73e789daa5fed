"""Typed values out of JSON, in SQL: the same answer on both databases, and never an error for a value of another type.

Numbers are JSON numbers; text is a JSON string or a whole number; an instant is written `2026-01-31T09:00:00Z`, or
`2026-01-31`, which is read as noon UTC: the same calendar day in every zone from −12 to +11. The import guarantees that
what looks like an instant is one.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric, String, and_, case, cast, collate, func, literal, type_coerce
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

from automation.customers.fact_types import FactType
from automation.database.types import DECIMALS, Instant, Number

Column = ColumnElement[Any]
SEPARATOR = "\x1f"  # ids never contain control characters
MICROSECONDS = 1_000_000
YEAR_ONE = 62_135_596_800 * MICROSECONDS  # from year 1 to 1970: makes every instant a positive number
MAYBE_NO_STRING = re.compile(r"[-\d\[{]")  # how a number, a list or an object begins when it is written out
MOMENT, DAY = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", r"^\d{4}-\d\d-\d\d$"


class SqliteValues:
    """JSON functions of SQLite."""

    def as_text(self, document: Column, key: str, kind: FactType) -> Column:
        """The value written out, or NULL when it is not of this kind."""
        value, found = self.written(document, key), self._type(document, key)
        if kind == "boolean":
            return case((found.in_(["true", "false"]), found))
        if kind == "number":
            return case((found.in_(["integer", "real"]), cast(value, String)))
        return case((found.in_(["text", "integer"]), cast(value, String)))

    def is_text(self, document: Column, key: str, wanted: str) -> Column:
        """Whether the value as text is the wanted one; mostly without a look at its type, which costs as much again."""
        if MAYBE_NO_STRING.match(wanted):
            return self.as_text(document, key, "text") == wanted
        return self.written(document, key) == wanted

    def value(self, document: Column, key: str, kind: FactType) -> Column:
        value = self.unrounded(document, key, kind)
        return self.rounded(value) if kind == "number" else value

    def unrounded(self, document: Column, key: str, kind: FactType) -> Column:
        """The value; a number with all the decimals it is written with."""
        if kind == "number":
            found = self._type(document, key).in_(["integer", "real"])
            return case((found, self.written(document, key)))
        return self.from_text(self.as_text(document, key, kind), kind)

    def from_text(self, written: Column, kind: FactType) -> Column:
        if kind == "number":
            return self.rounded(case((written.is_not(None), cast(written, Numeric))))
        if kind == "boolean":
            return written == "true"
        if kind == "instant":
            moment = written.op("GLOB")("????-??-??T??:??:??Z")
            day = written.op("GLOB")("????-??-??")
            seconds = case(
                (moment, func.strftime("%s", written)), (day, func.strftime("%s", written + literal("T12:00:00")))
            )
            return type_coerce(cast(seconds, Integer) * MICROSECONDS, Instant)
        return written

    def rounded(self, number: Column) -> Column:
        return type_coerce(func.round(number, DECIMALS), Number)

    def sortable(self, time: Column) -> Column:
        """Text that sorts as the instants do."""
        return func.printf("%020d", type_coerce(time, Integer) + YEAR_ONE, type_=String)

    def written(self, document: Column, key: str) -> Column:
        return func.json_extract(document, f'$."{key}"')

    def _type(self, document: Column, key: str) -> Column:
        return func.json_type(document, f'$."{key}"', type_=String)


class PostgresValues:
    """JSONB operators of PostgreSQL."""

    def as_text(self, document: Column, key: str, kind: FactType) -> Column:
        value, found = self.written(document, key), self._type(document, key)
        if kind in {"boolean", "number"}:
            return case((found == kind, value))
        whole = and_(found == "number", value.op("~")(r"^-?\d+$"))
        return case((found == "string", value), (whole, value))

    def is_text(self, document: Column, key: str, wanted: str) -> Column:
        return self.as_text(document, key, "text") == wanted

    def value(self, document: Column, key: str, kind: FactType) -> Column:
        value = self.unrounded(document, key, kind)
        return self.rounded(value) if kind == "number" else value

    def unrounded(self, document: Column, key: str, kind: FactType) -> Column:
        """The value; a number with all the decimals it is written with."""
        if kind == "number":
            found = self._found(document, key)
            return case((func.jsonb_typeof(found, type_=String) == "number", cast(found, Numeric)))
        return self.from_text(self.as_text(document, key, kind), kind)

    def from_text(self, written: Column, kind: FactType) -> Column:
        if kind == "number":
            return self.rounded(cast(written, Numeric))
        if kind == "boolean":
            return written == "true"
        if kind == "instant":
            stamp = TIMESTAMP(timezone=True)
            moment = (written.op("~")(MOMENT), cast(written, stamp))
            day = (written.op("~")(DAY), cast(written + literal("T12:00:00Z"), stamp))
            return type_coerce(case(moment, day), Instant)
        return written

    def rounded(self, number: Column) -> Column:
        return type_coerce(func.round(number, DECIMALS), Number)

    def sortable(self, time: Column) -> Column:
        """Text that sorts as the instants do (connections are in UTC)."""
        return collate(func.to_char(time, "YYYYMMDDHH24MISSUS", type_=String), "C")

    def written(self, document: Column, key: str) -> Column:
        found: Column = self._found(document, key).as_string()
        return found

    def _type(self, document: Column, key: str) -> Column:
        return func.jsonb_typeof(self._found(document, key), type_=String)

    def _found(self, document: Column, key: str) -> Any:
        return type_coerce(document, JSONB)[key]


Values = SqliteValues | PostgresValues


def json_values(dialect: str) -> Values:
    return PostgresValues() if dialect == "postgresql" else SqliteValues()
