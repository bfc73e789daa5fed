"""Attributes and properties: any JSON that both databases keep alike, with dates and instants that are real ones."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from json import JSONDecoder, JSONEncoder
from typing import Any, Never

from automation.customers.rejects import Rejected

LONGEST_KEY = 100
LARGEST_JSON = 64_000  # bytes
LARGEST_NUMBER = 10**15  # beyond it a double has no four decimals left
DEEPEST = 20
CANONICAL = JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False).encode


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is no JSON number")


# + 0.0: PostgreSQL knows no negative zero.
_DECODER = JSONDecoder(parse_float=lambda text: float(text) + 0.0, parse_constant=_no_number)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?P<decimals>\.[0-9]{1,6})?")
_BOOLEANS = {"true": True, "false": False}
# NUL and lone surrogates are refused by PostgreSQL; a line of text keeps its tabs and line ends.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNFIT_KEY = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?) ?"
    r"([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
)
_SHORTEST_DATE = 10


def told(row: Mapping[str, Any], keys: Iterable[str], *, csv: bool) -> dict[str, Any]:
    """The values that are there, fit to be kept. An empty cell and a null tell nothing. Raises Rejected.

    `csv`: every value is text, and what is written like a number or a boolean is one.
    """
    found: dict[str, Any] = {}
    for key in keys:
        value = row[key]
        if value is None or (csv and value == ""):
            continue
        try:
            found[key] = _fit(_read(value) if csv else value)
        except ValueError as error:
            raise Rejected(key, str(error)) from None
    return found


def json_text(content: dict[str, Any]) -> str:
    """Compact JSON with sorted keys. Raises ValueError when it is too large."""
    if not content:
        return "{}"
    text = CANONICAL(content)
    if len(text) > LARGEST_JSON // 4 and len(text.encode()) > LARGEST_JSON:
        raise ValueError(f"the row is larger than {LARGEST_JSON // 1000} kB")
    return text


def read_json(text: str) -> Any:
    """Raises ValueError with the place for what is not JSON; NaN and Infinity are not."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError(f"nested more than {DEEPEST} deep") from None


def check_key(key: str) -> None:
    """Raise ValueError for a name that cannot be kept."""
    if not 1 <= len(key) <= LONGEST_KEY:
        raise ValueError(f"a name has 1 to {LONGEST_KEY} characters")
    if not key.isprintable() and _UNFIT_KEY.search(key):
        raise ValueError("a name has no control characters and is valid UTF-8")


def check_line(text: str) -> None:
    """Raise ValueError unless it is one line of valid text."""
    if not text.isprintable() and _UNFIT_KEY.search(text):
        raise ValueError("control characters, line ends or invalid UTF-8 are not allowed here")


def _read(cell: str) -> Any:
    if cell[0] in "-0123456789":
        number = _NUMBER.fullmatch(cell)
        if number:
            return float(cell) + 0.0 if number["decimals"] else int(cell)
    return _BOOLEANS.get(cell, cell)


def _fit(value: Any) -> Any:
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is bool:
        return value
    if kind is int or kind is float:
        _check_number(value)
        return value
    _check_nested(value, 1)
    return value


def _text(value: str) -> str:
    if not value.isprintable():
        value = value.replace("\r\n", "\n")
        if _UNFIT.search(value):
            raise ValueError("control characters or invalid UTF-8 are not allowed")
    if len(value) >= _SHORTEST_DATE and value[4] == "-":
        return _moment(value)
    return value


def _moment(text: str) -> str:
    """Facts read `2026-01-31` and `2026-01-31T09:00:00Z` as they stand, so both must be true and written just so."""
    found = _INSTANT.fullmatch(text)
    try:
        if found:
            day, time, offset = found.groups()
            return (
                f"{datetime.fromisoformat(f'{day}T{time}{offset.upper()}').astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z".zfill(
                    20
                )
            )
        if _DAY.fullmatch(text):
            date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError("looks like a date and is none") from None
    return text


def _check_number(value: float) -> None:
    if not -LARGEST_NUMBER < value < LARGEST_NUMBER:
        raise ValueError("a number must be smaller than 1,000,000,000,000,000; write a long identifier as text")


def _check_nested(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            check_key(key)
            _check_nested(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check_nested(inner, depth + 1)
    elif isinstance(value, str):
        if not value.isprintable() and _UNFIT.search(value):
            raise ValueError("control characters or invalid UTF-8 are not allowed")
    elif isinstance(value, int | float):
        _check_number(value)
