"""One raw row becomes a clean customer or event, or is rejected with the column and the reason. No input, no output."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from automation.customers.content import check_key, check_line, json_text, read_json, told
from automation.customers.profile import (
    consent_flag,
    country_code,
    email_address,
    home_of,
    locale_tag,
    phone_number,
    time_zone,
)
from automation.customers.rejects import Rejected
from automation.regions import region_of
from automation.values import instant

CUSTOMER_ID = ("customer_id", "id", "userId")
EVENT_ID = ("event_id", "messageId")
EVENT_CUSTOMER = ("customer_id", "userId")
EVENT_NAME = ("type", "event")
EVENT_TIME = ("ts", "timestamp")
PROFILE = ("email", "phone", "locale", "timezone", "country", "signup_at", "email_consent", "sms_consent")
# What the header of a file must name: one of each.
CUSTOMER_COLUMNS = (CUSTOMER_ID,)
EVENT_COLUMNS = (EVENT_ID, EVENT_NAME, EVENT_CUSTOMER, EVENT_TIME)
LONGEST_ID = 200
FIRST_YEAR, LAST_YEAR = 1900, 2200


class Customer(NamedTuple):
    """What a row tells of a customer; None is "not told". `attributes` is canonical JSON of an object."""

    customer_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    country: str | None
    signup_at: datetime | None
    email_consent: bool | None
    sms_consent: bool | None
    attributes: str


class Event(NamedTuple):
    """Something a customer did. `properties` is canonical JSON of an object."""

    event_id: str
    customer_id: str
    name: str
    time: datetime
    properties: str


class _Columns(NamedTuple):
    """Which column of a row is what; `rest` is content."""

    row_id: str
    customer_id: str
    time: str
    rest: tuple[str, ...]


def customer(row: Mapping[str, Any], /, *, csv: bool) -> Customer:
    """Raises Rejected. `csv`: every value is text; an empty one tells nothing."""
    columns = _customer_columns(tuple(row))
    column = columns.row_id
    try:
        customer_id = _id(row.get(column))
        column = "country"
        country = country_code(value) if (value := _told(row, column)) else None
        column = "email"
        email = email_address(value) if (value := _told(row, column)) else None
        column = "phone"
        phone = phone_number(value, country) if (value := _told(row, column)) else None
        column = "locale"
        locale = locale_tag(value) if (value := _told(row, column)) else None
        column = "timezone"
        timezone = time_zone(value) if (value := _told(row, column)) else None
        column = "signup_at"
        signup_at = _instant(row[column]) if row.get(column) not in _NOT_TOLD else None
        column = "email_consent"
        email_consent = consent_flag(row[column]) if row.get(column) not in _NOT_TOLD else None
        column = "sms_consent"
        sms_consent = consent_flag(row[column]) if row.get(column) not in _NOT_TOLD else None
        column = ""
        attributes = json_text(told(row, columns.rest, csv=csv))
    except ValueError as error:
        raise Rejected(column, str(error)) from None
    return Customer(
        customer_id, email, phone, locale, timezone, country, signup_at, email_consent, sms_consent, attributes
    )


def buyer(row: Mapping[str, Any], /, *, csv: bool, on: date) -> Customer:
    """A customer who may be written to because they bought something, where the law of their country says so on that
    day. Raises Rejected.
    """
    told = customer(row, csv=csv)
    country = home_of(told.country, told.phone)
    allowed = region_of(country, on).soft_opt_in
    for channel, said in (("email", told.email_consent), ("sms", told.sms_consent)):
        if said and channel not in allowed:
            where = f"in {country}" if country else "where the country is not known"
            raise Rejected(
                f"{channel}_consent", f"{where} a soft opt-in is no permission for {channel}; leave it empty"
            )
    return told


def event(row: Mapping[str, Any], /, *, csv: bool) -> Event:
    """Raises Rejected. A track call of the Segment spec (`type` "track", the name in `event`) is read as one."""
    columns = _event_columns(tuple(row))
    column = columns.row_id
    try:
        event_id = _id(row.get(column))
        column = columns.customer_id
        customer_id = _id(row.get(column))
        column, rest = _name_column(row, columns.rest)
        name = _id(row.get(column))
        column = columns.time
        time = _instant(row.get(column))
        column = "properties"
        properties = told(row, rest, csv=csv)
        if row.get(column) not in _NOT_TOLD:
            properties |= _inner(row[column], csv=csv)
        column = ""
        return Event(event_id, customer_id, name, time, json_text(properties))
    except ValueError as error:
        raise Rejected(column, str(error)) from None


def row_id(row: Mapping[str, Any], names: Iterable[str]) -> str:
    """The row's own id as it is written, to find it again; empty when there is none."""
    return next((str(row[name]) for name in names if row.get(name) is not None), "")


_NOT_TOLD = (None, "")


@lru_cache(maxsize=1000)
def _customer_columns(names: tuple[str, ...]) -> _Columns:
    mine = _first(CUSTOMER_ID, names)
    return _Columns(mine, mine, "signup_at", _content(names, {mine, *PROFILE}))


@lru_cache(maxsize=1000)
def _event_columns(names: tuple[str, ...]) -> _Columns:
    known = [_first(some, names) for some in (EVENT_ID, EVENT_CUSTOMER, EVENT_TIME)]
    return _Columns(known[0], known[1], known[2], _content(names, {*known, *EVENT_NAME, "properties"}))


def _first(wanted: Iterable[str], names: tuple[str, ...]) -> str:
    """The column that is there; the first name when none is, to be reported as missing."""
    wanted = tuple(wanted)
    return next((one for one in wanted if one in names), wanted[0])


def _content(names: tuple[str, ...], known: set[str]) -> tuple[str, ...]:
    rest = tuple(name for name in names if name not in known)
    for name in rest:
        try:
            check_key(name)
        except ValueError as error:
            raise Rejected(name, str(error)) from None
    return rest


def _name_column(row: Mapping[str, Any], rest: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The column with the event's name; an `event` beside another `type` is a property."""
    if "event" not in row:
        return "type", rest
    if row.get("type") in (None, "", "track") and row["event"] not in _NOT_TOLD:
        return "event", rest
    return "type", (*rest, "event")


def _id(value: Any) -> str:
    if type(value) is not str:
        if value is None:
            raise ValueError("is missing")
        if type(value) is not int:
            raise ValueError("must be text or a whole number")
        value = str(value)
    text: str = value.strip()
    if not text:
        raise ValueError("is missing")
    if len(text) > LONGEST_ID:
        raise ValueError(f"is longer than {LONGEST_ID} characters")
    check_line(text)
    return text


def _told(row: Mapping[str, Any], column: str) -> str | None:
    value = row.get(column)
    if value is None:
        return None
    if type(value) is not str:
        raise ValueError("must be text")
    return value.strip()


def _instant(value: Any) -> datetime:
    if type(value) is not str:
        raise ValueError("is missing" if value is None else "must be text like 2026-01-31T09:00:00Z")
    try:
        found = instant(value.strip())
    except OverflowError:
        raise ValueError("is out of range") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError(f"is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return found


def _inner(value: Any, *, csv: bool) -> dict[str, Any]:
    """The content of `properties`: an object, in CSV written as JSON."""
    if csv:
        try:
            value = read_json(value)
        except ValueError:
            value = None
    if type(value) is not dict:
        raise ValueError("must be a JSON object")
    for name in value:
        check_key(name)
    return told(value, value, csv=False)
