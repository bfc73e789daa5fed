import json
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
TELNYX = ADAPTERS["telnyx"]
PROFILE = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
ACCOUNT = Account("https://api.telnyx.com", "secret")
HTML = {"content-type": "text/html"}


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(TELNYX.request([message], account, None).content)


def errors(status: int, *codes: Any, detail: str = "No.", **headers: str) -> Answer:
    return json_answer(status, {"errors": [{"code": one, "title": "Oh", "detail": detail} for one in codes]}, **headers)


def reply_to(answer: Answer) -> Reply:
    (reply,) = TELNYX.replies(answer, [NUDGE], NOW)
    return reply


def test_a_text_is_json_with_its_playbook_and_its_own_id() -> None:
    request = TELNYX.request([NUDGE], ACCOUNT, None)
    assert (request.method, str(request.url)) == ("POST", "https://api.telnyx.com/v2/messages")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "from": "+15550100",
        "to": "+393331234567",
        "text": NUDGE.text,
        "type": "SMS",
        "tags": ["nudge", "mid=9"],
    }


def test_our_own_id_travels_in_the_query_of_the_webhook_too() -> None:
    for url, told in (("https://shop.example/t", "?mid=9"), ("https://shop.example/t?a=1", "&mid=9")):
        assert body_of(NUDGE, replace(ACCOUNT, callback_url=url))["webhook_url"] == url + told


def test_a_profile_replaces_the_number_and_a_sender_with_letters_is_named_besides_it() -> None:
    account = replace(ACCOUNT, messaging_service=PROFILE)
    for number in ("+15550100", "40404"):
        body = body_of(replace(NUDGE, sender=number), account)
        assert "from" not in body
        assert body["messaging_profile_id"] == PROFILE
    assert body_of(replace(NUDGE, sender="Shop"), account)["from"] == "Shop"


def test_the_same_input_gives_the_same_bytes_and_there_is_no_key() -> None:
    keyed, keyless = (TELNYX.request([NUDGE], ACCOUNT, key) for key in ("k-1", None))
    assert (keyed.content, keyed.headers) == (keyless.content, keyless.headers)
    assert TELNYX.key_window is None
    assert not isinstance(TELNYX, LookUp | Signs)


def test_every_text_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(TELNYX, [NUDGE] * 3, ACCOUNT, 500)] == [1, 1, 1]
    assert TELNYX.size(NUDGE, ACCOUNT) == len(TELNYX.request([NUDGE], ACCOUNT, None).content)


@pytest.mark.parametrize("number", ["3331234567", "+0123", "+39 333", "+39333123456\n", "+1555<+1556"])
def test_a_number_that_is_not_e164_is_refused_before_any_call(number: str) -> None:
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
    answer = json_answer(200, {"data": {"id": PROFILE, "to": [{"status": "queued"}], "errors": []}})
    assert reply_to(answer) == Accepted(PROFILE, http_status=200)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(202, HTML, b"<h1>OK</h1>"),
        Answer(200, {"content-type": "application/json"}, b'{"data": {"id": "3f', complete=False),
        json_answer(200, {"data": {"id": 5}}),
        json_answer(200, {"data": {"id": "a b"}}),
        json_answer(200, {"data": []}),
        json_answer(200, ["?"]),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize(
    ("codes", "scope", "suppress"),
    [
        (("40001", "40012"), "recipient", "bounced_hard"),
        (("40300",), "recipient", "unsubscribed"),
        (("40301", "40310", "40319"), "recipient", None),
        (("10015", "40009", "40302", "40304", "40316", "40322", "40328"), "message", None),
        (("10009", "10010", "10039", "20002", "20006", "20012", "20013", "20014", "20016"), "account", None),
        (("20017", "20100", "40010", "40013", "40100", "40305", "40306", "40309"), "account", None),
        (("40312", "40314", "40315", "40320", "40321", "40329"), "account", None),
    ],
)
@pytest.mark.parametrize("status", [400, 403, 422])
def test_each_row_of_the_class_table(codes: tuple[str, ...], scope: str, suppress: str | None, status: int) -> None:
    for code in codes:
        reply = reply_to(errors(status, code, detail="+393331234567 is none"))
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.detail) == (scope, suppress, "Oh: [number] is none")
        assert reply.http_status == status


def test_a_code_may_be_a_number_and_need_not_be_the_first() -> None:
    reply = reply_to(errors(422, "99999", 40001))
    assert isinstance(reply, Refused)
    assert reply.reason == "not_routable"


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (422, "message"), (401, "account"), (402, "account"), (403, "account")]
)
def test_a_code_the_table_does_not_know_is_classified_by_the_status(status: int, scope: str) -> None:
    for answer in (errors(status, "99999"), Answer(status, HTML, b"<h1>No</h1>"), json_answer(status, {"errors": {}})):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope, reply.suppress) == (f"http_{status}", scope, None)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "12"}, timedelta(seconds=12)),
        ({"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"x_ratelimit_reset": "3"}, timedelta(seconds=3)),
        ({"retry_after": "1", "x_ratelimit_reset": "3"}, timedelta(seconds=3)),
        ({"retry_after": "soon", "x_ratelimit_reset": "-1"}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_either_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    reply = reply_to(errors(429, "10011", **headers))
    assert reply == Later(after, "telnyx_10011", throttled=True, http_status=429)


@pytest.mark.parametrize("code", ["10011", "40011", "40318"])
@pytest.mark.parametrize("status", [400, 403, 422, 429])
def test_a_full_queue_is_for_later_whatever_the_status(code: str, status: int) -> None:
    reply = reply_to(errors(status, code))
    assert reply == Later(None, f"telnyx_{code}", throttled=True, http_status=status)


def test_a_429_of_a_proxy_is_for_later() -> None:
    reply = reply_to(Answer(429, {**HTML, "retry-after": "12"}, b"<h1>Busy</h1>"))
    assert reply == Later(timedelta(seconds=12), "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing(status: int) -> None:
    for answer in (errors(status, "10007"), Answer(status, HTML, b""), Answer(status, {}, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@pytest.mark.parametrize("status", [500, 503])
@pytest.mark.parametrize("code", ["40300", "10009", "10011", "40318"])
def test_a_code_in_a_server_error_proves_nothing_either(status: int, code: str) -> None:
    assert reply_to(errors(status, code)) == Unknown(f"http_{status}", http_status=status)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_one_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(TELNYX.replies(answer, [NUDGE], NOW)) == 1


def test_a_profile_is_a_uuid_or_left_out() -> None:
    provider = Provider(kind="telnyx", token=SecretStr("x"))
    account = account_of("texts", provider)
    assert (account.base_url, account.messaging_service) == ("https://api.telnyx.com", None)
    assert account_of("texts", provider.model_copy(update={"messaging_service": PROFILE})).messaging_service == PROFILE
    with pytest.raises(BadInput, match=r"\[providers.texts\] messaging_service"):
        account_of("texts", provider.model_copy(update={"messaging_service": "MG1"}))


def test_only_a_loopback_provider_needs_no_token() -> None:
    assert account_of("local", Provider(kind="telnyx", base_url="http://127.0.0.1:8025/")).token == "sandbox"
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__TEXTS__TOKEN"):
        account_of("texts", Provider(kind="telnyx"))


def test_telnyx_sends_texts_to_where_it_is_told() -> None:
    assert Provider(kind="telnyx").channel == "sms"
    account = account_of("eu", Provider(kind="telnyx", token=SecretStr("x"), base_url="https://proxy.example"))
    assert str(TELNYX.request([NUDGE], account, None).url) == "https://proxy.example/v2/messages"
