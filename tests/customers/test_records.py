"""One raw row: what it becomes, and why it is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from automation.customers.profile import email_address, phone_number
from automation.customers.records import Customer, Event, customer, event
from automation.customers.rejects import Rejected

EVENT = {"event_id": "e1", "type": "order", "customer_id": "c1", "ts": "2026-01-31T09:00:00Z"}


def told(**row: Any) -> Customer:
    return customer({"customer_id": "c1", **row}, csv=False)


def told_in_csv(**row: str) -> Customer:
    return customer({"customer_id": "c1", **row}, csv=True)


def happened(**row: Any) -> Event:
    return event({**EVENT, **row}, csv=False)


def attributes(found: Customer) -> Any:
    return json.loads(found.attributes)


def refused(**row: Any) -> str:
    with pytest.raises(Rejected) as caught:
        told(**row)
    return f"{caught.value.column}: {caught.value.reason}"


def test_every_known_column_is_cleaned() -> None:
    found = customer(
        {
            "userId": " c1 ",
            "email": "Ann@Mail.Example.com",
            "phone": "(201) 555-0100",
            "locale": "PL_pl",
            "timezone": "Europe/Rome",
            "country": "us",
            "signup_at": "2026-01-31T10:00:00.000001+01:00",
            "email_consent": "Yes",
            "sms_consent": "0",
            "plan": "gold",
        },
        csv=True,
    )
    signup = datetime(2026, 1, 31, 9, 0, 0, 1, UTC)
    assert found == Customer(
        "c1",
        "ann@mail.example.com",
        "+12015550100",
        "pl-PL",
        "Europe/Rome",
        "US",
        signup,
        True,
        False,
        '{"plan":"gold"}',
    )


def test_an_empty_cell_and_a_null_tell_nothing() -> None:
    nothing = Customer("c1", None, None, None, None, None, None, None, None, "{}")
    columns = ("email", "phone", "locale", "timezone", "country", "signup_at", "email_consent", "sms_consent", "plan")
    assert told_in_csv(**dict.fromkeys(columns, "")) == nothing
    assert told(**dict.fromkeys(columns)) == nothing


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"customer_id": ""}, "customer_id: is missing"),
        ({"customer_id": "x" * 201}, "longer than 200"),
        ({"customer_id": "a\nb"}, "control characters"),
        ({"customer_id": "a\ud800"}, "UTF-8"),
        ({"customer_id": 1.5}, "whole number"),
        ({"email": "nobody"}, "email: not an email address"),
        ({"email": "a@b@c.example"}, "email: not an email address"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "email: not"),
        ({"email": ["a@example.com"]}, "email: must be text"),
        ({"phone": "555 0100"}, "phone: no country"),
        ({"phone": "+1", "country": "US"}, "phone: not"),
        ({"phone": "+999123456789"}, "phone: "),
        ({"locale": "xx-YY"}, "locale: not a known locale"),
        ({"timezone": "Europe/Waraw"}, 'did you mean "Europe/Warsaw"?'),
        ({"country": "Poland"}, "country: not a country"),
        ({"signup_at": "2026-01-31"}, "has no offset"),
        ({"signup_at": "2026-02-31T00:00:00Z"}, "no instant"),
        ({"signup_at": "2026-01-31T09:00:00"}, "write one like 2026-01-31T09:00:00Z"),
        ({"signup_at": "1899-12-31T23:59:59Z"}, "between the years"),
        ({"signup_at": "0001-01-01T00:00:00+10:00"}, "out of range"),
        ({"signup_at": 1769850000}, "signup_at: must be text"),
        ({"email_consent": "maybe"}, "email_consent: consent is told by true or false"),
        ({"note": "a\0b"}, "note: control characters"),
        ({"note": "a\x1bb"}, "note: control characters"),
        ({"note": {"deep": ["a\0b"]}}, "note: control characters"),
        ({"note": {"a\0b": 1}}, "note: a name has no control characters"),
        ({"note": "\udfff"}, "invalid UTF-8"),
        ({"total": float("inf")}, "total: a number must be smaller"),
        ({"total": 2**63}, "write a long identifier as text"),
        ({"total": [1e15]}, "a number must be smaller"),
        ({"born": "2026-02-31"}, "born: looks like a date and is none"),
        ({"seen": "2026-01-31T25:00:00Z"}, "seen: looks like a date and is none"),
        ({"x" * 101: 1}, "1 to 100 characters"),
        ({"": 1}, "1 to 100 characters"),
        ({"note": "x" * 1_000_000}, "larger than 64 kB"),
        ({"note": "ż" * 40_000}, "larger than 64 kB"),
    ],
)
def test_a_row_that_cannot_be_kept_is_refused_with_its_column(row: dict[str, Any], said: str) -> None:
    assert said in refused(**row)


def test_a_refusal_never_repeats_an_address_or_a_number() -> None:
    assert "secret" not in refused(email="secret name@example.com")
    assert "5550100" not in refused(phone="5550100")


def test_nesting_has_an_end() -> None:
    nested: Any = 1
    for _ in range(21):
        nested = [nested]
    assert "deep" in refused(note=nested)
    assert attributes(told(note=nested[0][0]))["note"] == nested[0][0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-3.50", -3.5),
        ("0", 0),
        ("-0.0", 0.0),
        ("00123", "00123"),
        ("+5", "+5"),
        ("1e5", "1e5"),
        ("1234567890123456", "1234567890123456"),
        ("٣", "٣"),
        ("true", True),
        ("True", "True"),
        ("null", "null"),
        ("two\r\nlines\there", "two\nlines\there"),
        ("مرحبا 🙂", "مرحبا 🙂"),
        ("2026-01-31T10:00:00.9+01:00", "2026-01-31T09:00:00Z"),
        ("2026-01-31 09:00Z", "2026-01-31T09:00:00Z"),
        ("0900-01-31T09:00:00z", "0900-01-31T09:00:00Z"),
        ("2026-01-31T10:00:00", "2026-01-31T10:00:00"),
        ("2024-02-29", "2024-02-29"),
    ],
)
def test_a_cell_becomes_the_json_it_is_written_like(cell: str, value: Any) -> None:
    found = attributes(told_in_csv(x=cell))["x"]
    assert found == value
    assert type(found) is type(value)


def test_minus_zero_is_zero() -> None:
    assert told_in_csv(x="-0.0").attributes == '{"x":0.0}'


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}_x", fullmatch=True), st.integers(-(10**14), 10**14) | st.booleans()))
def test_csv_and_json_lines_of_the_same_content_give_the_same_row(content: dict[str, Any]) -> None:
    cells = {key: json.dumps(value) for key, value in content.items()}
    assert told(**content) == told_in_csv(**cells)


def test_a_track_call_is_read_as_the_segment_spec_writes_it() -> None:
    call = {
        "type": "track",
        "event": "Order Completed",
        "messageId": "m1",
        "userId": 17,
        "timestamp": "2026-01-31T09:00:00.123456Z",
        "properties": {"revenue": 9.9, "coupon": None, "at": "2026-01-31T10:00:00+01:00"},
        "context": {"ip": "127.0.0.1"},
    }
    found = event(call, csv=False)
    assert found[:4] == ("m1", "17", "Order Completed", datetime(2026, 1, 31, 9, 0, 0, 123456, UTC))
    assert json.loads(found.properties) == {
        "revenue": 9.9,
        "at": "2026-01-31T09:00:00Z",
        "context": {"ip": "127.0.0.1"},
    }


def test_an_event_beside_another_type_is_a_property() -> None:
    found = happened(event="spring sale")
    assert (found.name, json.loads(found.properties)) == ("order", {"event": "spring sale"})


def test_a_csv_cell_of_properties_holds_a_json_object() -> None:
    found = event({**EVENT, "properties": '{"amount": 1.50}', "channel": "web"}, csv=True)
    assert json.loads(found.properties) == {"amount": 1.5, "channel": "web"}


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ({"event_id": None}, "event_id"),
        ({"customer_id": ""}, "customer_id"),
        ({"type": "a\tb"}, "type"),
        ({"ts": None}, "ts"),
        ({"ts": "2026-01-31T09:00:00"}, "ts"),
        ({"properties": [1]}, "properties"),
        ({"properties": {"x\0": 1}}, "properties"),
        ({"properties": {"x": float("nan")}}, "x"),
    ],
)
def test_an_event_that_cannot_be_kept_is_refused_with_its_column(row: dict[str, Any], column: str) -> None:
    with pytest.raises(Rejected) as caught:
        happened(**row)
    assert caught.value.column == column


LABEL = st.from_regex(r"[A-Za-z0-9-]{1,6}", fullmatch=True)
ADDRESS = st.builds(
    lambda local, labels, last: f"{local}@{'.'.join([*labels, last])}",
    st.from_regex(r"[A-Za-z0-9.+_'-]{1,8}", fullmatch=True),
    st.lists(LABEL, max_size=3),
    st.sampled_from(["com", "test", "local", "invalid", "c0", "localhost", "xn--p1ai", "K"]) | LABEL,
)


@given(ADDRESS | st.emails())
def test_the_quick_look_at_an_address_agrees_with_the_library(address: str) -> None:
    try:
        expected = validate_email(address, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        expected = "refused"
    try:
        found = email_address(address)
    except ValueError:
        found = "refused"
    assert found == expected


@given(
    st.builds(
        lambda code, rest: f"+{code}{rest}",
        st.sampled_from([*phonenumbers.COUNTRY_CODE_TO_REGION_CODE, 999, 210]),
        st.from_regex(r"[0-9]{3,13}", fullmatch=True),
    ),
    st.sampled_from([None, "US", "IT", "CA"]),
)
def test_the_quick_look_at_a_phone_number_agrees_with_the_library(text: str, country: str | None) -> None:
    try:
        number = phonenumbers.parse(text, country)
        possible = phonenumbers.is_possible_number(number)
        expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if possible else "refused"
    except phonenumbers.NumberParseException:
        expected = "refused"
    try:
        found = phone_number(text, country)
    except ValueError:
        found = "refused"
    assert found == expected


@pytest.mark.parametrize("address", ["a@example.com", "a@shop.test", "zoë@example.org", "o'brien+x@sub.example.net"])
def test_ordinary_and_test_addresses_are_accepted(address: str) -> None:
    assert email_address(address) == address


def test_fictional_numbers_are_accepted() -> None:
    assert phone_number("+12015550104", None) == "+12015550104"
    assert phone_number("02 5550 1000", "IT") == "+390255501000"
