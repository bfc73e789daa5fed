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
from automation.delivery.providers import Account, account_of, batches
from automation.delivery.providers.adapter import LookUp, Signs
from automation.delivery.providers.sinch import Sinch
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.delivery.sought import Found, NoIdea, NotThere, Sought
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SINCH = Sinch()
PLAN = "jd63jf88477ll123ab4567cd89012ef3"
BATCH = "01FC66621VHDBN119Z8PMV1QPU"
ACCOUNT = Account("https://eu.sms.api.sinch.com", "secret", PLAN, region="eu")
HTML = {"content-type": "text/html"}
SOUGHT = Sought(9, "marketing", "+393331234567", NUDGE.text, NOW, NOW + timedelta(seconds=30))


def body_of(message: Outgoing, account: Account = ACCOUNT) -> Any:
    return json.loads(SINCH.request([message], account, None).content)


def posted(validity: timedelta | None, now: datetime = NOW) -> Any:
    request = SINCH.request([replace(NUDGE, validity=validity)], ACCOUNT, None)
    return json.loads(SINCH.signed(request, ACCOUNT, now).content)


def error(status: int, code: str, text: str = "No.", **headers: str) -> Answer:
    return json_answer(status, {"code": code, "text": text}, **headers)


def reply_to(answer: Answer) -> Reply:
    (reply,) = SINCH.replies(answer, [NUDGE], NOW)
    return reply


def batch(**changes: Any) -> dict[str, Any]:
    return {"id": BATCH, "to": ["393331234567"], "client_reference": "9", "body": NUDGE.text, **changes}


def test_a_text_is_a_batch_of_one_with_its_own_id() -> None:
    request = SINCH.request([NUDGE], ACCOUNT, None)
    assert (request.method, str(request.url)) == ("POST", f"https://eu.sms.api.sinch.com/xms/v1/{PLAN}/batches")
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "from": "+15550100",
        "to": ["+393331234567"],
        "body": NUDGE.text,
        "type": "mt_text",
        "client_reference": "9",
    }


def test_reports_are_wanted_where_somebody_hears_them() -> None:
    body = body_of(NUDGE, replace(ACCOUNT, callback_url="https://shop.example/s"))
    assert (body["delivery_report"], body["callback_url"]) == ("per_recipient", "https://shop.example/s")


def test_the_same_input_gives_the_same_bytes_and_there_is_no_key() -> None:
    validities = (timedelta(hours=1), timedelta(hours=2), None)
    contents = {SINCH.request([replace(NUDGE, validity=one)], ACCOUNT, "k").content for one in validities}
    assert contents == {SINCH.request([NUDGE], ACCOUNT, None).content}
    assert SINCH.key_window is None


@pytest.mark.parametrize(
    ("validity", "expires"),
    [
        (timedelta(hours=2), "2026-03-01T11:00:00.000Z"),
        (timedelta(seconds=90, milliseconds=900), "2026-03-01T09:01:30.000Z"),
        (timedelta(days=2), "2026-03-03T09:00:00.000Z"),
        # An instant so near could have passed by the vendor's clock.
        (timedelta(seconds=1), "2026-03-01T09:00:30.000Z"),
    ],
)
def test_a_text_near_the_end_of_the_window_expires_with_it(validity: timedelta, expires: str) -> None:
    assert posted(validity) == {**body_of(NUDGE), "expire_at": expires}


@pytest.mark.parametrize("validity", [None, timedelta(days=3), timedelta(days=30)])
def test_a_text_that_may_wait_for_days_expires_when_sinch_gives_up(validity: timedelta | None) -> None:
    assert posted(validity) == body_of(NUDGE)


def test_the_instant_is_told_in_utc_and_the_rest_of_the_call_stays() -> None:
    assert isinstance(SINCH, Signs)
    request = SINCH.request([replace(NUDGE, validity=timedelta(hours=1))], ACCOUNT, None)
    signed = SINCH.signed(request, ACCOUNT, datetime.fromisoformat("2026-03-01T10:00:00+01:00"))
    assert json.loads(signed.content)["expire_at"] == "2026-03-01T10:00:00.000Z"
    assert (signed.method, signed.url) == (request.method, request.url)
    assert signed.headers["authorization"] == "Bearer secret"
    assert signed.headers["content-length"] == str(len(signed.content))


def test_every_text_is_a_call_of_its_own() -> None:
    assert [len(one) for one in batches(SINCH, [NUDGE] * 3, ACCOUNT, 500)] == [1, 1, 1]
    assert SINCH.size(NUDGE, ACCOUNT) == len(SINCH.request([NUDGE], ACCOUNT, None).content)


@pytest.mark.parametrize("number", ["3331234567", "+0123", "+39 333", "+39333123456\n"])
def test_a_number_that_is_not_e164_is_refused_before_any_call(number: str) -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient=number)


@given(st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(text: str) -> None:
    try:
        message = replace(NUDGE, text=text, validity=timedelta(hours=1))
    except BadMessage:
        return
    signed = SINCH.signed(SINCH.request([message], ACCOUNT, None), ACCOUNT, NOW)
    assert json.loads(signed.content)["body"] == text


@pytest.mark.parametrize("status", [200, 201])
def test_an_accepted_text_keeps_the_providers_id(status: int) -> None:
    assert reply_to(json_answer(status, {"id": BATCH, "canceled": False})) == Accepted(BATCH, http_status=status)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(201, {"content-type": "application/json"}, b'{"id": "01', complete=False),
        json_answer(201, {"id": 5}),
        json_answer(201, {"id": ""}),
        json_answer(201, ["?"]),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize(
    ("status", "code", "scope"),
    [
        (400, "syntax_invalid_json", "message"),
        (400, "syntax_invalid_parameter_format", "message"),
        (400, "syntax_constraint_violation", "message"),
        (403, "unknown_group", "account"),
        (403, "unknown_campaign", "account"),
        (403, "missing_callback_url", "account"),
    ],
)
def test_each_row_of_the_class_table(status: int, code: str, scope: str) -> None:
    reply = reply_to(error(status, code, "+393331234567 is none"))
    assert reply == Refused(code, scope, "[number] is none", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (413, "message"), (401, "account"), (403, "account"), (404, "account")]
)
def test_a_code_the_table_does_not_know_is_classified_by_the_status(status: int, scope: str) -> None:
    for answer in (error(status, "brand_new"), Answer(status, HTML, b"<h1>No</h1>"), Answer(status, {}, b"")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope, reply.suppress) == (f"http_{status}", scope, None)


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
    for answer in (error(429, "too_many", **headers), json_answer(429, {"detail": "The limit"}, **headers)):
        assert reply_to(answer) == Later(after, "http_429", throttled=True, http_status=429)


def test_a_429_of_a_proxy_is_for_later() -> None:
    reply = reply_to(Answer(429, {**HTML, "retry-after": "12"}, b"<h1>Busy</h1>"))
    assert reply == Later(timedelta(seconds=12), "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_an_uncertain_answer_is_unknown_whatever_its_code(status: int) -> None:
    for answer in (error(status, "syntax_invalid_json"), Answer(status, HTML, b"<h1>Oh</h1>"), Answer(status, {}, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_one_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(SINCH.replies(answer, [NUDGE], NOW)) == 1


def test_sinch_is_asked_for_our_own_id_from_the_time_of_the_post_on() -> None:
    assert isinstance(SINCH, LookUp)
    request = SINCH.look_up(SOUGHT, ACCOUNT)
    assert (request.method, request.url.path) == ("GET", f"/xms/v1/{PLAN}/batches")
    assert dict(request.url.params) == {
        "page": "0",
        "page_size": "100",
        "client_reference": "9",
        "start_date": "2026-03-01T08:59:30.000Z",
    }
    assert request.headers["authorization"] == "Bearer secret"


@pytest.mark.parametrize("number", ["393331234567", "+393331234567"])
def test_what_sinch_has_under_our_id_for_our_recipient_was_taken(number: str) -> None:
    batches_there = [batch(client_reference="8", id="other"), "?", batch(to=[number])]
    assert SINCH.found(json_answer(200, {"count": 3, "batches": batches_there}), SOUGHT) == Found(BATCH)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [batch(client_reference="8")],
        [batch(client_reference=9)],
        [batch(client_reference=None)],
        [batch(to=["393330000000"])],
        [batch(to=["393331234567", "393330000000"])],
        [batch(to="393331234567")],
        [batch(id=None)],
    ],
)
def test_what_is_not_certainly_ours_proves_nothing(items: list[Any]) -> None:
    assert SINCH.found(json_answer(200, {"count": len(items), "batches": items}), SOUGHT) == NotThere()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (error(401, "unauthorized"), "http_401"),
        (Answer(200, HTML, b"<p>"), "not_understood"),
        (json_answer(200, {"batches": {}}), "not_understood"),
        (json_answer(200, []), "not_understood"),
        (Answer(200, {"content-type": "application/json"}, b'{"batches": []', complete=False), "not_understood"),
    ],
)
def test_an_answer_that_is_none_is_no_idea(answer: Answer, reason: str) -> None:
    assert SINCH.found(answer, SOUGHT) == NoIdea(reason)


@pytest.mark.parametrize("region", ["us", "eu", "au", "br", "ca"])
def test_the_region_stands_in_the_address(region: str) -> None:
    account = account_of("texts", Provider(kind="sinch", token=SecretStr("x"), account=PLAN, region=region))
    assert account.base_url == f"https://{region}.sms.api.sinch.com"


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="sinch", account=PLAN, region="eu"), "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        (Provider(kind="sinch", token=SecretStr("x"), region="eu"), r"\[providers.texts\] account"),
        (Provider(kind="sinch", token=SecretStr("x"), account="../x", region="eu"), r"\[providers.texts\] account"),
        (Provider(kind="sinch", token=SecretStr("x"), account=PLAN), r"\[providers.texts\] region"),
        (Provider(kind="sinch", token=SecretStr("x"), account=PLAN, region="eu-west-1"), "us, eu, au, br or ca"),
        (Provider(kind="sinch", token=SecretStr("x"), account=PLAN, region="eu.evil.example/"), "region"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("texts", provider)


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    provider = Provider(kind="sinch", base_url="http://127.0.0.1:8025/")
    assert provider.channel == "sms"
    account = account_of("local", provider)
    assert (account.base_url, account.token, account.account) == ("http://127.0.0.1:8025", "sandbox", "sandbox")
