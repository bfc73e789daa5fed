import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import NUDGE, json_answer
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, LookUp, Signs, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
PLIVO = ADAPTERS["plivo"]
AUTH_ID = "MA" + "Z" * 18
POWERPACK = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
MESSAGE = "db3ce55a-7f1d-11e1-8ea7-1231380bc196"
ACCOUNT = Account("https://api.plivo.com", "secret", AUTH_ID)
HTML = {"content-type": "text/html"}


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(PLIVO.request([message], account, None).content)


def error(status: int, text: Any = "No.", **headers: str) -> Answer:
    return json_answer(status, {"api_id": "a", "error": text}, **headers)


def reply_to(answer: Answer) -> Reply:
    (reply,) = PLIVO.replies(answer, [NUDGE], NOW)
    return reply


def test_a_text_is_json_with_basic_authentication_and_numbers_without_plus() -> None:
    request = PLIVO.request([NUDGE], ACCOUNT, None)
    assert (request.method, str(request.url)) == ("POST", f"https://api.plivo.com/v1/Account/{AUTH_ID}/Message/")
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{AUTH_ID}:secret"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "src": "15550100",
        "dst": "393331234567",
        "text": NUDGE.text,
        "type": "sms",
    }


def test_a_powerpack_replaces_the_number() -> None:
    body = body_of(NUDGE, replace(ACCOUNT, messaging_service=POWERPACK))
    assert body["powerpack_uuid"] == POWERPACK
    assert "src" not in body


def test_our_own_id_travels_in_the_query_of_the_callback() -> None:
    for url, told in (("https://shop.example/t", "?mid=9"), ("https://shop.example/t?a=1", "&mid=9")):
        body = body_of(NUDGE, replace(ACCOUNT, callback_url=url))
        assert (body["url"], body["method"]) == (url + told, "POST")


@pytest.mark.parametrize(
    ("validity", "seconds"),
    [
        (timedelta(hours=2), 7200),
        (timedelta(seconds=59, milliseconds=900), 59),
        (timedelta(days=3), 10_799),
        (timedelta(seconds=1), 5),
    ],
)
def test_a_text_near_the_end_of_the_window_does_not_wait_longer_than_it(validity: timedelta, seconds: int) -> None:
    assert body_of(replace(NUDGE, validity=validity))["message_expiry"] == seconds


def test_the_same_input_gives_the_same_bytes_and_there_is_no_key() -> None:
    keyed, keyless = (PLIVO.request([NUDGE], ACCOUNT, key) for key in ("k-1", None))
    assert (keyed.content, keyed.headers) == (keyless.content, keyless.headers)
    assert PLIVO.key_window is None
    assert not isinstance(PLIVO, LookUp | Signs)


def test_every_text_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(PLIVO, [NUDGE] * 3, ACCOUNT, 500)] == [1, 1, 1]
    assert PLIVO.size(NUDGE, ACCOUNT) == len(PLIVO.request([NUDGE], ACCOUNT, None).content)


@pytest.mark.parametrize("number", ["3331234567", "+0123", "+39 333", "+39333123456\n", "+15550100<15550101"])
def test_a_number_that_is_not_one_e164_number_is_refused_before_any_call(number: str) -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient=number)


@given(st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(text: str) -> None:
    try:
        message = replace(NUDGE, text=text)
    except BadMessage:
        return
    assert body_of(message)["text"] == text


def test_an_accepted_text_keeps_the_providers_id() -> None:
    answer = json_answer(202, {"api_id": "a", "message": "message(s) queued", "message_uuid": [MESSAGE]})
    assert reply_to(answer) == Accepted(MESSAGE, http_status=202)


def test_a_number_that_was_left_out_of_a_call_that_succeeds_is_refused() -> None:
    reply = reply_to(json_answer(202, {"message_uuid": [], "invalid_number": ["393331234567"]}))
    assert reply == Refused("invalid_number", "recipient", "", "bounced_hard", http_status=202)
    taken = reply_to(json_answer(202, {"message_uuid": [MESSAGE], "invalid_number": ["1"]}))
    assert taken == Accepted(MESSAGE, http_status=202)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(202, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(202, {"content-type": "application/json"}, b'{"message_uuid": ["db', complete=False),
        json_answer(202, {"message_uuid": []}),
        json_answer(202, {"message_uuid": [5]}),
        json_answer(202, {"message_uuid": {"a": 1}}),
        json_answer(202, {"invalid_number": ["1"]}),
        json_answer(202, ["?"]),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize(
    ("status", "scope"),
    [
        (400, "message"),
        (405, "message"),
        (409, "message"),
        (422, "message"),
        (401, "account"),
        (402, "account"),
        (403, "account"),
        (404, "account"),
    ],
)
def test_each_row_of_the_class_table(status: int, scope: str) -> None:
    reply = reply_to(error(status, "393331234567 of ada@example.com is none"))
    assert reply == Refused(f"http_{status}", scope, "[number] of [address] is none", http_status=status)  # type: ignore[arg-type]
    for answer in (Answer(status, HTML, b"<h1>No</h1>"), error(status, {"src": ["missing"]}), error(status, None)):
        bare = reply_to(answer)
        assert isinstance(bare, Refused)
        assert (bare.reason, bare.scope) == (f"http_{status}", scope)


@pytest.mark.parametrize("status", [400, 402, 403])
def test_an_account_without_credit_is_not_the_messages_fault(status: int) -> None:
    reply = reply_to(error(status, "Insufficient Credit"))
    assert reply == Refused("no_credit", "account", "Insufficient Credit", http_status=status)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "12"}, timedelta(seconds=12)),
        ({"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"retry_after": "soon"}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_they_are_told(headers: dict[str, str], after: timedelta | None) -> None:
    assert reply_to(error(429, **headers)) == Later(after, "http_429", throttled=True, http_status=429)


def test_a_429_of_a_proxy_is_for_later() -> None:
    reply = reply_to(Answer(429, {**HTML, "retry-after": "12"}, b"<h1>Busy</h1>"))
    assert reply == Later(timedelta(seconds=12), "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing(status: int) -> None:
    for answer in (error(status, "Oh"), Answer(status, HTML, b"<h1>Oh</h1>"), Answer(status, {}, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


def test_words_about_credit_in_a_server_error_prove_nothing_either() -> None:
    assert reply_to(error(500, "Insufficient Credit")) == Unknown("http_500", http_status=500)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_one_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(PLIVO.replies(answer, [NUDGE], NOW)) == 1


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="plivo", account=AUTH_ID), "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        (Provider(kind="plivo", token=SecretStr("x")), r"\[providers.texts\] account"),
        (Provider(kind="plivo", token=SecretStr("x"), account="MA/../x"), r"\[providers.texts\] account"),
        (Provider(kind="plivo", token=SecretStr("x"), account=AUTH_ID, messaging_service="MG1"), "messaging_service"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("texts", provider)


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("local", Provider(kind="plivo", base_url="http://127.0.0.1:8025/"))
    assert (account.token, account.account, account.messaging_service) == ("sandbox", "MA" + "0" * 18, None)


def test_plivo_sends_texts_to_where_it_is_told() -> None:
    provider = Provider(kind="plivo", token=SecretStr("x"), account="SA" + "1" * 18)
    assert provider.channel == "sms"
    assert account_of("texts", provider).base_url == "https://api.plivo.com"
    account = account_of("texts", provider.model_copy(update={"base_url": "https://proxy.example"}))
    assert str(PLIVO.request([NUDGE], account, None).url).startswith("https://proxy.example/v1/Account/SA1")
