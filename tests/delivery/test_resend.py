import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, json_answer
from outgoing import WELCOME as PLAIN

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RESEND = ADAPTERS["resend"]
ACCOUNT = Account("https://api.resend.com", "secret")
WELCOME = replace(PLAIN, tag="win-back_2")
HTML = {"content-type": "text/html"}


def error(status: int, name: str, text: str = "No.", **headers: str) -> Answer:
    names = {header.replace("_", "-"): value for header, value in headers.items()}
    return json_answer(status, {"statusCode": status, "name": name, "message": text}, **names)


def reply_to(answer: Answer) -> Reply:
    (reply,) = RESEND.replies(answer, [WELCOME], NOW)
    return reply


def numbered(count: int) -> list[Outgoing]:
    return [replace(WELCOME, message_id=number, recipient=f"c{number}@example.com") for number in range(count)]


def taken(*ids: Any) -> dict[str, Any]:
    return {"data": [{"id": one} for one in ids]}


def test_one_message_goes_to_the_single_call_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = RESEND.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "https://api.resend.com/emails"
    assert json.loads(request.content) == {
        "from": "Shop <hello@example.com>",
        "to": ["ada@example.com"],
        "subject": WELCOME.subject,
        "html": "<p>Schön</p>",
        "text": "Schön",
        "headers": UNSUBSCRIBE,
        "tags": [{"name": "tag", "value": "win-back_2"}, {"name": "mid", "value": "7"}],
    }


def test_a_call_says_who_it_is() -> None:
    headers = RESEND.request([WELCOME], ACCOUNT, None).headers
    assert headers["authorization"] == "Bearer secret"
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"]


def test_a_message_without_html_or_without_text_says_nothing_of_it() -> None:
    assert "html" not in json.loads(RESEND.request([replace(WELCOME, html="")], ACCOUNT, None).content)
    assert "text" not in json.loads(RESEND.request([replace(WELCOME, text="")], ACCOUNT, None).content)


def test_several_messages_are_a_bare_array_of_which_all_or_none_are_taken() -> None:
    request = RESEND.request(numbered(3), ACCOUNT, None)
    assert request.url.path == "/emails/batch"
    assert request.headers["x-batch-validation"] == "strict"
    assert [one["to"] for one in json.loads(request.content)] == [[f"c{number}@example.com"] for number in range(3)]


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_travels_in_its_header_and_changes_no_byte_of_the_body(count: int) -> None:
    keyed, keyless = (RESEND.request(numbered(count), ACCOUNT, key) for key in ("k-1", None))
    assert keyed.headers["idempotency-key"] == "k-1"
    assert "idempotency-key" not in keyless.headers
    assert keyed.content == keyless.content


def test_a_key_is_remembered_for_a_day_and_trusted_for_less_because_a_clock_may_be_set_back() -> None:
    assert RESEND.key_window == timedelta(hours=24 - 8)
    keyed = {kind for kind, adapter in ADAPTERS.items() if adapter.key_window is not None}
    assert keyed == {"bird", "brevo", "resend"}


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    assert RESEND.request([WELCOME], ACCOUNT, "k").content == RESEND.request([turned], ACCOUNT, "k").content


def test_a_hundred_and_one_messages_are_split_before_the_first_attempt() -> None:
    assert [len(batch) for batch in batches(RESEND, numbered(101), ACCOUNT, 2000)] == [100, 1]


def test_a_batch_is_also_split_by_its_bytes() -> None:
    large = [replace(one, html="é" * 1_000_000) for one in numbered(12)]
    found = list(batches(RESEND, large, ACCOUNT, 100))
    assert [message for batch in found for message in batch] == large
    sizes = [len(RESEND.request(batch, ACCOUNT, None).content) for batch in found]
    assert len(sizes) > 1
    assert all(size <= RESEND.batch_bytes for size in sizes)


def test_the_size_of_each_message_adds_up_to_that_of_the_call() -> None:
    messages = numbered(3)
    content = RESEND.request(messages, ACCOUNT, None).content
    assert sum(RESEND.size(one, ACCOUNT) for one in messages) + 1 == len(content)


def test_a_line_break_in_a_header_or_subject_never_becomes_a_message() -> None:
    for broken in ({"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": {"X-Name": "a\nb"}}, {"sender": "Shop\n"}):
        with pytest.raises(BadMessage):
            replace(WELCOME, **broken)


@given(st.text(), st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(subject: str, text: str) -> None:
    try:
        message = replace(WELCOME, subject=subject, text=text, html="")
        body = json.loads(RESEND.request([message], ACCOUNT, None).content)
    except BadMessage:
        return
    assert (body["subject"], body.get("text", "")) == (subject, text)


def test_an_accepted_message_keeps_the_providers_id() -> None:
    assert reply_to(json_answer(200, {"id": "id-7"})) == Accepted("id-7", http_status=200)


def test_the_ids_of_a_batch_are_in_the_order_of_its_messages() -> None:
    replies = RESEND.replies(json_answer(200, taken("a", "b", "c")), numbered(3), NOW)
    assert replies == [Accepted(one, http_status=200) for one in "abc"]


@pytest.mark.parametrize(
    ("status", "name", "scope"),
    [
        (400, "invalid_idempotency_key", "message"),
        (400, "validation_error", "message"),
        (401, "missing_api_key", "account"),
        (401, "restricted_api_key", "account"),
        (403, "invalid_api_key", "account"),
        (403, "validation_error", "account"),
        (404, "not_found", "account"),
        (405, "method_not_allowed", "account"),
        (422, "invalid_access", "message"),
        (422, "invalid_attachment", "message"),
        (422, "invalid_from_address", "message"),
        (422, "invalid_parameter", "message"),
        (422, "invalid_region", "message"),
        (422, "missing_required_field", "message"),
        (422, "validation_error", "message"),
        (429, "daily_quota_exceeded", "account"),
        (429, "monthly_quota_exceeded", "account"),
        (451, "security_error", "account"),
    ],
)
def test_an_error_is_classified_by_its_status_and_name(status: int, name: str, scope: str) -> None:
    assert reply_to(error(status, name)) == Refused(name, scope, "No.", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [401, 403, 404, 405, 451])
def test_a_refusal_of_the_account_needs_no_name(status: int) -> None:
    for answer in (error(status, "brand_new"), Answer(status, HTML, b"<h1>error code: 1010</h1>")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope) == (f"http_{status}", "account")


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_an_unnamed_refusal_concerns_the_message(status: int) -> None:
    for answer in (error(status, "brand_new"), Answer(status, HTML, b"<h1>Too large</h1>")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert reply.scope == "message"


def test_an_address_in_the_providers_words_is_not_repeated() -> None:
    reply = reply_to(error(422, "validation_error", "Invalid `to` field: ada@example.com."))
    assert isinstance(reply, Refused)
    assert reply.detail == "Invalid `to` field: [address]"


@pytest.mark.parametrize("name", ["concurrent_idempotent_requests", "invalid_idempotent_request", "brand_new"])
@pytest.mark.parametrize("count", [1, 3])
def test_where_an_earlier_call_has_the_key_nobody_knows_what_became_of_it(name: str, count: int) -> None:
    replies = RESEND.replies(error(409, name), numbered(count), NOW)
    assert replies == [Unknown(name, http_status=409)] * count


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "12"}, timedelta(seconds=12)),
        ({"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"ratelimit_reset": "3"}, timedelta(seconds=3)),
        ({"retry_after": "1", "ratelimit_reset": "3"}, timedelta(seconds=3)),
        ({"retry_after": "9", "ratelimit_reset": "3"}, timedelta(seconds=9)),
        ({"retry_after": "soon", "ratelimit_reset": "-1"}, None),
        ({"retry_after": "1000000000"}, timedelta(hours=1)),
    ],
)
def test_too_many_requests_wait_as_long_as_either_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    reply = reply_to(error(429, "rate_limit_exceeded", **headers))
    assert reply == Later(after, "http_429", throttled=True, http_status=429)


def test_a_busy_proxy_is_asked_later_too() -> None:
    for status in (429, 503):
        reply = reply_to(Answer(status, {**HTML, "retry-after": "12"}, b"<h1>Busy</h1>"))
        assert reply == Later(timedelta(seconds=12), f"http_{status}", throttled=True, http_status=status)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_name(status: int) -> None:
    for name in ("application_error", "internal_server_error", "validation_error"):
        assert reply_to(error(status, name)) == Unknown(f"http_{status}", http_status=status)
    assert reply_to(Answer(status, HTML, b"")) == Unknown(f"http_{status}", http_status=status)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(204, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(200, {"content-type": "application/json"}, b'{"id": "a', complete=False),
        Answer(200, {"content-type": "application/json"}, b"[" * 100_000),
        json_answer(200, {"id": 5}),
        json_answer(200, {"id": ""}),
        json_answer(200, {"id": "x" * 101}),
        json_answer(200, taken("a")),
        json_answer(200, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


@pytest.mark.parametrize("body", [[], {"id": "a"}, taken("a", "b"), {"data": "abc"}, {**taken("a"), "errors": []}, "x"])
def test_a_batch_whose_ids_cannot_be_matched_was_taken_without_ids(body: Any) -> None:
    replies = RESEND.replies(json_answer(200, body), numbered(3), NOW)
    assert replies == [Accepted(None, ("no_provider_id",), http_status=200)] * 3


def test_one_id_that_cannot_be_read_never_changes_another() -> None:
    replies = RESEND.replies(json_answer(200, taken("a", None, "c")), numbered(3), NOW)
    assert [one.provider_id for one in replies if isinstance(one, Accepted)] == ["a", None, "c"]


def test_a_refused_batch_lets_each_message_be_posted_alone() -> None:
    answer = error(422, "validation_error", "emails[1]: invalid `to` field.")
    for reply in RESEND.replies(answer, numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.whole_call) == ("message", None, True)


def test_a_quota_that_is_used_up_is_the_accounts_for_every_message_of_a_batch() -> None:
    for reply in RESEND.replies(error(429, "daily_quota_exceeded"), numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.whole_call) == ("account", False)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(RESEND.replies(answer, numbered(count), NOW)) == count


def test_a_loopback_provider_needs_no_token_and_any_other_names_its_variable() -> None:
    local = account_of("sandbox_email", Provider(kind="resend", base_url="http://127.0.0.1:8025/"))
    assert (local.base_url, local.token) == ("http://127.0.0.1:8025", "sandbox")
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__MAIN__TOKEN"):
        account_of("main", Provider(kind="resend"))


def test_resend_sends_email() -> None:
    assert Provider(kind="resend").channel == "email"
