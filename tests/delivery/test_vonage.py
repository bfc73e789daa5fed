import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import NUDGE
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
VONAGE = ADAPTERS["vonage"]
ACCOUNT = Account("https://api.nexmo.com", "secret", "abcd1234")
HTML = {"content-type": "text/html"}
ID = "aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab"


def json_answer(status: int, body: Any, **headers: str) -> Answer:
    return Answer(status, {"content-type": "application/problem+json", **headers}, json.dumps(body).encode())


def error(status: int, code: str, detail: str = "No.", **headers: str) -> Answer:
    page = "https://developer.vonage.com/api-errors" + ("/messages" if code.isdigit() else "")
    return json_answer(status, {"type": f"{page}#{code}", "title": "Error", "detail": detail}, **headers)


def reply_to(answer: Answer) -> Reply:
    (reply,) = VONAGE.replies(answer, [NUDGE], NOW)
    return reply


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(VONAGE.request([message], account, None).content)


def test_a_text_goes_with_basic_authentication_and_numbers_without_a_plus() -> None:
    request = VONAGE.request([NUDGE], ACCOUNT, None)
    assert str(request.url) == "https://api.nexmo.com/v1/messages"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")) == b"abcd1234:secret"
    assert body_of(NUDGE) == {
        "message_type": "text",
        "channel": "sms",
        "from": "15550100",
        "to": "393331234567",
        "text": NUDGE.text,
        "client_ref": "9",
    }


def test_a_sender_of_letters_stays_as_it_is() -> None:
    assert body_of(replace(NUDGE, sender="Shop"))["from"] == "Shop"


def test_what_became_of_it_is_told_where_the_account_says() -> None:
    body = body_of(NUDGE, replace(ACCOUNT, callback_url="https://shop.example/v"))
    assert (body["webhook_url"], body["webhook_version"]) == ("https://shop.example/v", "v1")


@pytest.mark.parametrize(
    ("validity", "seconds"),
    [
        (timedelta(hours=2), 7200),
        (timedelta(seconds=59, milliseconds=900), 59),
        (timedelta(0), 20),
        (timedelta(days=30), 604_800),
    ],
)
def test_a_text_near_the_end_of_the_window_does_not_wait_longer_than_it(validity: timedelta, seconds: int) -> None:
    assert body_of(replace(NUDGE, validity=validity))["ttl"] == seconds


def test_the_same_input_gives_the_same_bytes() -> None:
    assert VONAGE.request([NUDGE], ACCOUNT, None).content == VONAGE.request([NUDGE], ACCOUNT, "key").content


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(VONAGE, [NUDGE, NUDGE], ACCOUNT, 500)] == [1, 1]
    assert VONAGE.size(NUDGE, ACCOUNT) == len(VONAGE.request([NUDGE], ACCOUNT, None).content)


def test_a_number_that_is_none_is_refused_before_any_call() -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient="393331234567")


def test_an_accepted_text_keeps_its_id() -> None:
    assert reply_to(json_answer(202, {"message_uuid": ID})) == Accepted(ID, http_status=202)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(202, {}, b""),
        Answer(202, HTML, b"<h1>OK</h1>"),
        Answer(202, {"content-type": "application/json"}, b'{"message_uuid": "a', complete=False),
        json_answer(202, {"message_uuid": 5}),
        json_answer(202, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=202)


@pytest.mark.parametrize(
    ("codes", "scope", "suppress"),
    [
        ("1010 1020 1021 1022 1040 1090 1130 1150", "message", None),
        ("1050", "recipient", None),
        ("1170 1190", "recipient", "bounced_hard"),
        ("1240", "recipient", "unsubscribed"),
        ("1060 1070 1080 1110 1120 1140 1160", "account", None),
        (
            "account-suspended forbidden invalid-api-key low-balance not-found unauthorized unprovisioned",
            "account",
            None,
        ),
    ],
)
def test_each_row_of_the_class_table(codes: str, scope: str, suppress: str | None) -> None:
    for code in codes.split():
        reply = reply_to(error(422, code, "To 393331234567 failed"))
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.detail) == (scope, suppress, "To [number] failed")


@pytest.mark.parametrize(
    ("status", "scope"),
    [(400, "message"), (422, "message"), (401, "account"), (402, "account"), (403, "account"), (404, "account")],
)
def test_an_unknown_code_is_classified_by_the_status(status: int, scope: str) -> None:
    for answer in (error(status, "29999"), json_answer(status, {"title": "Odd"}), Answer(status, HTML, b"<p>")):
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
def test_throttling_waits_as_long_as_the_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    for status in (422, 429):
        reply = reply_to(error(status, "1000", **headers))
        assert reply == Later(after, "vonage_1000", throttled=True, http_status=status)
    for answer in (error(429, "1070", **headers), Answer(429, {**HTML, **headers}, b"<p>")):
        assert reply_to(answer) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("code", ["1030", "1100"])
def test_an_error_inside_vonage_proves_nothing(code: str) -> None:
    assert reply_to(error(422, code)) == Unknown(f"vonage_{code}", http_status=422)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_code(status: int) -> None:
    for answer in (error(status, "1020"), error(status, "1000"), Answer(status, HTML, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_a_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(VONAGE.replies(answer, [NUDGE], NOW)) == 1


def test_another_region_is_another_address() -> None:
    provider = Provider(kind="vonage", token=SecretStr("x"), account="abcd1234", base_url="https://api-eu.vonage.com/")
    request = VONAGE.request([NUDGE], account_of("texts", provider), None)
    assert str(request.url) == "https://api-eu.vonage.com/v1/messages"


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("sandbox_sms", Provider(kind="vonage", base_url="http://localhost:8025"))
    assert (account.token, account.account) == ("sandbox", "00000000")
    assert Provider(kind="vonage").channel == "sms"


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="vonage", account="abcd1234"), "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        (Provider(kind="vonage", token=SecretStr("x")), r"\[providers.texts\] account"),
        (Provider(kind="vonage", token=SecretStr("x"), account="abcd:1234"), r"\[providers.texts\] account"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("texts", provider)
