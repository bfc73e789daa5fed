import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import NUDGE as SAMPLE
from outgoing import json_answer
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
BIRD = ADAPTERS["bird"]
ACCOUNT = Account("https://eu1.platform.bird.com", "secret", region="eu1")
NUDGE = replace(SAMPLE, tag="win-back_2")
HTML = {"content-type": "text/html"}


def error(status: int, kind: str, **more: Any) -> Answer:
    return json_answer(status, {"error": {"type": kind, "code": "E01001", "message": "No.", **more}})


def reply_to(answer: Answer) -> Reply:
    (reply,) = BIRD.replies(answer, [NUDGE], NOW)
    return reply


def numbered(count: int) -> list[Outgoing]:
    return [replace(NUDGE, message_id=number, recipient=f"+3933312{number:05}") for number in range(count)]


def test_one_text_goes_to_the_single_call_with_its_own_id_and_its_playbook() -> None:
    request = BIRD.request([NUDGE], ACCOUNT, None)
    assert str(request.url) == "https://eu1.platform.bird.com/v1/sms/messages"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["user-agent"]
    assert json.loads(request.content) == {
        "from": "+15550100",
        "to": "+393331234567",
        "text": NUDGE.text,
        "category": "marketing",
        "tags": [{"name": "tag", "value": "win-back_2"}],
        "metadata": {"mid": "9"},
    }


def test_a_playbook_whose_name_bird_would_refuse_is_no_tag() -> None:
    assert "tags" not in json.loads(BIRD.request([replace(NUDGE, tag="x" * 65)], ACCOUNT, None).content)


def test_how_long_it_may_wait_is_not_said_because_bird_refuses_the_field() -> None:
    waiting = replace(NUDGE, validity=timedelta(hours=2))
    assert BIRD.request([waiting], ACCOUNT, None).content == BIRD.request([NUDGE], ACCOUNT, None).content


def test_several_texts_are_listed_in_one_call() -> None:
    request = BIRD.request(numbered(3), ACCOUNT, None)
    assert request.url.path == "/v1/sms/batches"
    assert [one["metadata"]["mid"] for one in json.loads(request.content)["messages"]] == ["0", "1", "2"]


def test_the_vendors_own_library_would_send_the_same() -> None:
    library = pytest.importorskip("bird._generated", reason="the vendor's library is not installed")
    for count, form in ((1, library.SMSMessageSendRequest), (3, library.SMSMessageBatchRequest)):
        content = BIRD.request(numbered(count), ACCOUNT, None).content
        assert form.model_validate_json(content).model_dump(
            mode="json", by_alias=True, exclude_unset=True
        ) == json.loads(content)


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_travels_in_its_header_and_changes_no_byte_of_the_body(count: int) -> None:
    keyed, again, keyless = (BIRD.request(numbered(count), ACCOUNT, key) for key in ("k-1", "k-1", None))
    assert keyed.headers["idempotency-key"] == "k-1"
    assert "idempotency-key" not in keyless.headers
    assert keyed.content == again.content == keyless.content


def test_a_key_is_not_trusted_to_the_end_of_its_three_hours() -> None:
    assert BIRD.key_window == timedelta(hours=2, minutes=30)


def test_a_hundred_and_one_texts_are_split_before_the_first_attempt() -> None:
    assert [len(batch) for batch in batches(BIRD, numbered(101), ACCOUNT, 2000)] == [100, 1]


def test_a_batch_is_also_split_by_its_bytes() -> None:
    large = [replace(one, text="é" * 100_000) for one in numbered(12)]
    found = list(batches(BIRD, large, ACCOUNT, 100))
    assert [message for batch in found for message in batch] == large
    sizes = [len(BIRD.request(batch, ACCOUNT, None).content) for batch in found]
    assert len(sizes) > 1
    assert all(size <= BIRD.batch_bytes for size in sizes)


def test_a_number_that_is_none_is_refused_before_any_call() -> None:
    with pytest.raises(BadMessage):
        replace(NUDGE, recipient="393331234567")


def test_an_accepted_text_keeps_its_id() -> None:
    found = "sms_01krdgeqcxet5s7t44vh8rt9mg"
    assert reply_to(json_answer(202, {"id": found, "status": "accepted"})) == Accepted(found, http_status=202)


def test_the_ids_of_a_batch_are_in_the_order_of_its_texts() -> None:
    body = {"data": [{"id": "a"}, {"id": None}, {"id": "c"}], "summary": {"accepted_count": 3}}
    replies = BIRD.replies(json_answer(202, body), numbered(3), NOW)
    assert [one.provider_id for one in replies if isinstance(one, Accepted)] == ["a", None, "c"]


@pytest.mark.parametrize("body", [[], {"id": "a"}, {"data": [{"id": "a"}]}, {"data": "abc"}, "x"])
def test_a_batch_whose_ids_cannot_be_matched_was_taken_without_ids(body: Any) -> None:
    replies = BIRD.replies(json_answer(202, body), numbered(3), NOW)
    assert replies == [Accepted(None, ("no_provider_id",), http_status=202)] * 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(202, {}, b""),
        Answer(202, HTML, b"<h1>OK</h1>"),
        Answer(202, {"content-type": "application/json"}, b'{"id": "a', complete=False),
        json_answer(202, {"id": 5}),
        json_answer(202, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=202)


@pytest.mark.parametrize(
    ("status", "kind", "scope"),
    [
        (400, "bad_request_error", "message"),
        (401, "auth_error", "account"),
        (402, "billing_error", "account"),
        (403, "permission_error", "account"),
        (404, "not_found_error", "account"),
        (412, "precondition_error", "account"),
        (428, "precondition_error", "account"),
        (413, "payload_too_large_error", "message"),
        (421, "misdirected_error", "account"),
        (422, "validation_error", "message"),
    ],
)
def test_each_row_of_the_class_table(status: int, kind: str, scope: str) -> None:
    assert reply_to(error(status, kind)) == Refused(kind, scope, "No.", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("more", "scope"),
    [
        ({"param": "to"}, "recipient"),
        ({"details": [{"param": "to", "message": "is no number"}]}, "recipient"),
        ({"details": [{"param": "to"}, {"param": "text"}]}, "message"),
        ({"details": [{"param": "to"}, {"param": "from"}]}, "account"),
        ({"details": ["?"], "param": ["to"]}, "message"),
        ({"details": "?"}, "message"),
        ({"name": "SMSNoEligibleSender"}, "account"),
    ],
)
def test_the_field_tells_whom_a_refusal_concerns(more: dict[str, Any], scope: str) -> None:
    reply = reply_to(error(422, "validation_error", **more))
    assert isinstance(reply, Refused)
    assert (reply.scope, reply.suppress) == (scope, None)


def test_an_error_without_its_envelope_is_understood_too() -> None:
    reply = reply_to(
        json_answer(422, {"type": "validation_error", "message": "To +393331234567 failed", "param": "to"})
    )
    assert reply == Refused("validation_error", "recipient", "To [number] failed", http_status=422)


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (422, "message"), (401, "account"), (403, "account"), (404, "account")]
)
def test_an_unknown_type_is_classified_by_the_status(status: int, scope: str) -> None:
    for answer in (error(status, "brand_new_error"), json_answer(status, {"error": "?"}), Answer(status, HTML, b"<p>")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope) == (f"http_{status}", scope)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["RequestInProgress", "IdempotencyKeyReuse"])
def test_where_an_earlier_call_has_the_key_nobody_knows_what_became_of_it(name: str, count: int) -> None:
    replies = BIRD.replies(error(409, "conflict_error", name=name), numbered(count), NOW)
    assert replies == [Unknown(name, http_status=409)] * count
    assert reply_to(Answer(409, HTML, b"")) == Unknown("http_409", http_status=409)
    assert reply_to(error(409, "validation_error")) == Unknown("http_409", http_status=409)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry-after": "3"}, timedelta(seconds=3)),
        ({"retry-after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"retry-after": "-1"}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_the_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    body = {"error": {"type": "rate_limit_error"}}
    for answer in (json_answer(429, body, **headers), Answer(429, {**HTML, **headers}, b"<p>")):
        assert reply_to(answer) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 500, 501, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_type(status: int) -> None:
    for answer in (error(status, "internal_error"), Answer(status, HTML, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)
    if status >= 500:
        assert reply_to(error(status, "validation_error")) == Unknown(f"http_{status}", http_status=status)


def test_a_refused_batch_lets_each_text_be_posted_alone() -> None:
    answer = error(422, "validation_error", details=[{"param": "to"}])
    for reply in BIRD.replies(answer, numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.whole_call) == ("message", True)
    for reply in BIRD.replies(error(402, "billing_error"), numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.whole_call) == ("account", False)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_text(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(BIRD.replies(answer, numbered(count), NOW)) == count


def test_the_region_is_part_of_the_address() -> None:
    account = account_of("texts", Provider(kind="bird", token=SecretStr("x"), region="eu1"))
    assert account.base_url == "https://eu1.platform.bird.com"
    local = account_of("texts", Provider(kind="bird", base_url="http://127.0.0.1:8025/"))
    assert (local.base_url, local.token) == ("http://127.0.0.1:8025", "sandbox")
    assert Provider(kind="bird").channel == "sms"


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="bird", region="eu1"), "AUTOMATION_PROVIDERS__TEXTS__TOKEN"),
        (Provider(kind="bird", token=SecretStr("x")), r"\[providers.texts\] region"),
        (Provider(kind="bird", token=SecretStr("x"), region="eu-west-1"), r"\[providers.texts\] region"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("texts", provider)
