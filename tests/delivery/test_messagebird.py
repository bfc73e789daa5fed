import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import NUDGE, json_answer

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MESSAGEBIRD = ADAPTERS["messagebird"]
ACCOUNT = Account("https://rest.messagebird.com", "secret")
HTML = {"content-type": "text/html"}


def errors(status: int, *codes: int, parameter: str | None = None) -> Answer:
    found = [{"code": code, "description": f"No {code} +393331234567.", "parameter": parameter} for code in codes]
    return json_answer(status, {"errors": found})


def reply_to(answer: Answer) -> Reply:
    (reply,) = MESSAGEBIRD.replies(answer, [NUDGE], NOW)
    return reply


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(MESSAGEBIRD.request([message], account, None).content)


def test_a_text_goes_with_its_own_id_and_numbers_without_a_plus() -> None:
    request = MESSAGEBIRD.request([NUDGE], ACCOUNT, None)
    assert str(request.url) == "https://rest.messagebird.com/messages"
    assert request.headers["authorization"] == "AccessKey secret"
    assert body_of(NUDGE) == {
        "originator": "15550100",
        "recipients": ["393331234567"],
        "body": NUDGE.text,
        "datacoding": "auto",
        "reference": "9",
    }


def test_a_sender_of_letters_stays_as_it_is() -> None:
    assert body_of(replace(NUDGE, sender="Shop"))["originator"] == "Shop"


def test_what_became_of_it_is_told_where_the_account_says() -> None:
    account = replace(ACCOUNT, callback_url="https://shop.example/m")
    assert body_of(NUDGE, account)["reportUrl"] == "https://shop.example/m"


@pytest.mark.parametrize(
    ("validity", "seconds"),
    [(timedelta(hours=2), 7200), (timedelta(seconds=59, milliseconds=900), 59), (timedelta(0), 1)],
)
def test_a_text_near_the_end_of_the_window_does_not_wait_longer_than_it(validity: timedelta, seconds: int) -> None:
    assert body_of(replace(NUDGE, validity=validity))["validity"] == seconds


def test_the_same_input_gives_the_same_bytes() -> None:
    assert MESSAGEBIRD.request([NUDGE], ACCOUNT, None).content == MESSAGEBIRD.request([NUDGE], ACCOUNT, "key").content


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(MESSAGEBIRD, [NUDGE, NUDGE], ACCOUNT, 500)] == [1, 1]
    assert MESSAGEBIRD.size(NUDGE, ACCOUNT) == len(MESSAGEBIRD.request([NUDGE], ACCOUNT, None).content)


def test_a_number_that_is_none_is_refused_before_any_call() -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient="393331234567")


def test_an_accepted_text_keeps_its_id() -> None:
    body = {"id": "e8077d803532c0b5937c639b60216938", "recipients": {"items": [{"status": "sent"}]}}
    assert reply_to(json_answer(201, body)) == Accepted("e8077d803532c0b5937c639b60216938", http_status=201)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, {}, b""),
        Answer(201, HTML, b"<h1>OK</h1>"),
        Answer(201, {"content-type": "application/json"}, b'{"id": "a', complete=False),
        json_answer(201, {"id": 5}),
        json_answer(201, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=201)


@pytest.mark.parametrize(
    ("code", "parameter", "reason", "scope"),
    [
        (2, "access_key", "not_allowed", "account"),
        (2, "recipients", "not_allowed", "account"),
        (9, "body", "missing_parameter", "message"),
        (9, "recipients", "missing_parameter", "recipient"),
        (10, None, "invalid_parameter", "message"),
        (10, "originator", "invalid_parameter", "account"),
        (20, None, "not_found", "account"),
        (21, None, "bad_request", "message"),
        (25, None, "no_balance", "account"),
        (98, None, "no_such_api", "account"),
    ],
)
def test_each_row_of_the_class_table(code: int, parameter: str | None, reason: str, scope: str) -> None:
    reply = reply_to(errors(422, code, parameter=parameter))
    assert reply == Refused(reason, scope, f"No {code} [number].", http_status=422)  # type: ignore[arg-type]


def test_of_several_errors_the_widest_decides() -> None:
    reply = reply_to(errors(422, 9, 2, 10, parameter="recipients"))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope) == ("not_allowed", "account")


def test_an_error_inside_messagebird_proves_nothing() -> None:
    assert reply_to(errors(422, 9, 99)) == Unknown("messagebird_99", http_status=422)


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (405, "message"), (422, "message"), (401, "account"), (404, "account")]
)
def test_an_unknown_code_is_classified_by_the_status(status: int, scope: str) -> None:
    bodies: list[Any] = [{"errors": [{"code": "9"}, "?"]}, {"errors": "no"}, {"errors": [{"code": 12345}]}, []]
    for answer in (*(json_answer(status, body) for body in bodies), Answer(status, HTML, b"<p>")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope) == (f"http_{status}", scope)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry-after": "3"}, timedelta(seconds=3)),
        ({"retry-after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
    ],
)
def test_too_many_requests_wait_as_long_as_the_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    for answer in (json_answer(429, {"errors": [{"code": 9}]}, **headers), Answer(429, {**HTML, **headers}, b"<p>")):
        assert reply_to(answer) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_code(status: int) -> None:
    for answer in (errors(status, 9), errors(status, 99), Answer(status, HTML, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_a_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(MESSAGEBIRD.replies(answer, [NUDGE], NOW)) == 1


def test_the_address_can_be_replaced_and_the_key_is_wanted() -> None:
    local = account_of("texts", Provider(kind="messagebird", base_url="http://127.0.0.1:8025/"))
    assert str(MESSAGEBIRD.request([NUDGE], local, None).url) == "http://127.0.0.1:8025/messages"
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__TEXTS__TOKEN"):
        account_of("texts", Provider(kind="messagebird"))
    assert Provider(kind="messagebird").channel == "sms"
