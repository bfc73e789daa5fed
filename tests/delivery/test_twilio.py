from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from outgoing import NUDGE, json_answer
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TWILIO = ADAPTERS["twilio"]
SID = "AC" + "a" * 32
SERVICE = "MG" + "b" * 32
ACCOUNT = Account("https://api.twilio.com", "secret", SID)


def form_of(message: Outgoing, account: Account = ACCOUNT) -> dict[str, str]:
    content = TWILIO.request([message], account, None).content.decode()
    return {name: values[0] for name, values in parse_qs(content, strict_parsing=True).items()}


def reply_to(answer: Answer) -> Reply:
    (reply,) = TWILIO.replies(answer, [NUDGE], NOW)
    return reply


def test_a_message_is_a_form_with_basic_authentication() -> None:
    request = TWILIO.request([NUDGE], ACCOUNT, None)
    assert str(request.url) == f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages.json"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{SID}:secret"
    assert form_of(NUDGE) == {"To": NUDGE.recipient, "From": NUDGE.sender, "Body": NUDGE.text}


def test_a_messaging_service_replaces_the_number() -> None:
    form = form_of(NUDGE, replace(ACCOUNT, messaging_service=SERVICE))
    assert form["MessagingServiceSid"] == SERVICE
    assert "From" not in form


def test_our_own_id_travels_in_the_callback() -> None:
    assert form_of(NUDGE, replace(ACCOUNT, callback_url="https://shop.example/t"))["StatusCallback"] == (
        "https://shop.example/t?mid=9"
    )
    assert form_of(NUDGE, replace(ACCOUNT, callback_url="https://shop.example/t?a=1"))["StatusCallback"] == (
        "https://shop.example/t?a=1&mid=9"
    )


@pytest.mark.parametrize(
    ("validity", "seconds"),
    [
        (timedelta(hours=2), "7200"),
        (timedelta(seconds=59, milliseconds=900), "59"),
        (timedelta(days=3), "36000"),
        (timedelta(0), "1"),
    ],
)
def test_a_text_near_the_end_of_the_window_does_not_wait_longer_than_it(validity: timedelta, seconds: str) -> None:
    assert form_of(replace(NUDGE, validity=validity))["ValidityPeriod"] == seconds


def test_the_same_input_gives_the_same_bytes() -> None:
    assert TWILIO.request([NUDGE], ACCOUNT, None).content == TWILIO.request([NUDGE], ACCOUNT, "key").content


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(TWILIO, [NUDGE, NUDGE, NUDGE], ACCOUNT, 500)] == [1, 1, 1]


@pytest.mark.parametrize(
    "number", ["3331234567", "+0123", "+39 333 1234567", "+39333123456\n", "+٣٩٣٣٣", "ada@example.com"]
)
def test_a_number_that_is_not_e164_is_refused_before_any_call(number: str) -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient=number)


def test_an_accepted_text_keeps_its_sid() -> None:
    sid = "SM" + "0" * 32
    assert reply_to(json_answer(201, {"sid": sid, "status": "queued"})) == Accepted(sid, http_status=201)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, {}, b""),
        Answer(200, {"content-type": "text/html"}, b"<p>"),
        json_answer(201, {"sid": "../../etc"}),
        json_answer(201, ["?"]),
    ],
)
def test_a_success_without_a_proper_sid_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize(
    ("codes", "scope", "suppress"),
    [
        ((21211, 21214, 21217, 21614), "recipient", "bounced_hard"),
        ((21610,), "recipient", "unsubscribed"),
        ((21612,), "recipient", None),
        ((21602, 21617, 21619, 21620, 21621, 21622, 21623), "message", None),
        ((20003, 20005, 20404, 21408, 21603, 21606, 21608, 21659, 21660, 21661, 30034), "account", None),
    ],
)
def test_each_row_of_the_class_table(codes: tuple[int, ...], scope: str, suppress: str | None) -> None:
    for code in codes:
        reply = reply_to(json_answer(400, {"code": code, "message": "To +393331234567 failed", "status": 400}))
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.detail) == (scope, suppress, "To [number] failed")


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (400, 20429), (400, 21611), (429, 21611)])
def test_throttling_is_always_safe_to_repeat(status: int, code: int) -> None:
    answer = json_answer(status, {"code": code, "message": "Too many"}, **{"retry-after": "3"})
    assert reply_to(answer) == Later(timedelta(seconds=3), f"twilio_{code}", throttled=True, http_status=status)


def test_a_429_without_a_body_is_for_later() -> None:
    assert reply_to(Answer(429, {}, b"")) == Later(None, "http_429", throttled=True, http_status=429)


def test_an_unknown_code_is_classified_by_the_status() -> None:
    message = reply_to(json_answer(400, {"code": 29999, "message": "Something"}))
    account = reply_to(json_answer(401, {"code": "odd", "message": None}))
    assert isinstance(message, Refused)
    assert isinstance(account, Refused)
    assert (message.scope, message.detail, message.whole_call) == ("message", "Something", False)
    assert account.scope == "account"


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_an_uncertain_answer_is_unknown(status: int) -> None:
    assert reply_to(Answer(status, {"content-type": "text/html"}, b"<p>")) == Unknown(
        f"http_{status}", http_status=status
    )
    assert isinstance(reply_to(json_answer(status, {"code": 21211, "message": ""})), Unknown | Refused)


def test_a_503_that_says_when_is_for_later() -> None:
    reply = reply_to(Answer(503, {"retry-after": "60"}, b""))
    assert reply == Later(timedelta(minutes=1), "http_503", throttled=True, http_status=503)


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("sandbox_sms", Provider(kind="twilio", base_url="http://localhost:8025"))
    assert (account.token, account.account) == ("sandbox", "AC" + "0" * 32)


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="twilio", account=SID), "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        (Provider(kind="twilio", token=SecretStr("x")), r"\[providers.texts\] account"),
        (Provider(kind="twilio", token=SecretStr("x"), account="AC/../x"), r"\[providers.texts\] account"),
        (Provider(kind="twilio", token=SecretStr("x"), account=SID, messaging_service="MG1"), "messaging_service"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("texts", provider)
