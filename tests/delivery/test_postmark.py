import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, WELCOME, json_answer

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.providers.postmark import Postmark
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
POSTMARK = ADAPTERS["postmark"]
ACCOUNT = Account("https://api.postmarkapp.com", "secret")


def reply_to(answer: Answer, message: Outgoing = WELCOME) -> Reply:
    (reply,) = POSTMARK.replies(answer, [message], NOW)
    return reply


def refusal_of(code: int, text: str = "No.", status: int = 422) -> Reply:
    return reply_to(json_answer(status, {"ErrorCode": code, "Message": text}))


def numbered(count: int) -> list[Outgoing]:
    return [replace(WELCOME, message_id=number, recipient=f"c{number}@example.com") for number in range(count)]


def taken(message: Outgoing) -> dict[str, Any]:
    return {"To": message.recipient, "MessageID": f"id-{message.message_id}", "ErrorCode": 0, "Message": "OK"}


def test_one_message_goes_to_the_single_call_with_its_own_id_and_stream() -> None:
    request = POSTMARK.request([WELCOME], ACCOUNT, None)
    body = json.loads(request.content)
    assert str(request.url) == "https://api.postmarkapp.com/email"
    assert request.headers["x-postmark-server-token"] == "secret"
    assert body["Metadata"] == {"mid": "7"}
    assert body["MessageStream"] == "broadcast"
    assert body["Subject"] == WELCOME.subject
    assert {one["Name"]: one["Value"] for one in body["Headers"]} == UNSUBSCRIBE


def test_a_transactional_message_uses_the_transactional_stream_and_marketing_the_configured_one() -> None:
    account = replace(ACCOUNT, stream="newsletter")
    receipt = replace(WELCOME, kind="transactional")
    first, second = json.loads(POSTMARK.request([WELCOME, receipt], account, None).content)
    assert (first["MessageStream"], second["MessageStream"]) == ("newsletter", "outbound")


def test_several_messages_are_a_bare_array() -> None:
    request = POSTMARK.request(numbered(3), ACCOUNT, None)
    assert request.url.path == "/email/batch"
    assert [one["To"] for one in json.loads(request.content)] == ["c0@example.com", "c1@example.com", "c2@example.com"]


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    assert POSTMARK.request([WELCOME], ACCOUNT, None).content == POSTMARK.request([turned], ACCOUNT, "key").content


def test_five_hundred_and_one_messages_are_split_before_the_first_attempt() -> None:
    sizes = [len(batch) for batch in batches(POSTMARK, numbered(501), ACCOUNT, 2000)]
    assert sizes == [500, 1]


def test_a_batch_is_also_split_by_its_bytes() -> None:
    class Narrow(Postmark):
        batch_bytes = 6000

    large = [replace(one, html="é" * 250) for one in numbered(12)]
    found = list(batches(Narrow(), large, ACCOUNT, 500))
    assert [message for batch in found for message in batch] == large
    sizes = [len(POSTMARK.request(batch, ACCOUNT, None).content) for batch in found]
    assert len(sizes) > 1
    assert all(size <= 6000 for size in sizes)


@pytest.mark.parametrize(
    "broken",
    [
        {"subject": "Hi\r\nBcc: eve@example.com"},
        {"subject": "Hi\u2028there"},
        {"sender": "Shop\n <hello@example.com>"},
        {"recipient": "ada@example.com\r\nBcc: eve@example.com"},
        {"recipient": "ada@example.com, eve@example.com"},
        {"recipient": ""},
        {"headers": {"X-Name": "a\nb"}},
        {"headers": {"X-Name: a\r\nBcc": "b"}},
        {"tag": "a\0b"},
        {"html": "half \ud800 a character"},
        {"text": "NUL \0"},
    ],
)
def test_what_could_break_out_of_its_field_is_refused_before_any_call(broken: dict[str, Any]) -> None:
    with pytest.raises(BadMessage) as caught:
        replace(WELCOME, **broken)
    assert "example.com" not in str(caught.value)


@given(st.text(), st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(subject: str, text: str) -> None:
    try:
        message = replace(WELCOME, subject=subject, text=text, html="")
        body = json.loads(POSTMARK.request([message], ACCOUNT, None).content)
    except BadMessage:
        return
    assert (body["Subject"], body.get("TextBody", "")) == (subject, text)


def test_an_accepted_message_keeps_the_providers_id() -> None:
    assert reply_to(json_answer(200, taken(WELCOME))) == Accepted("id-7", http_status=200)


def test_a_delayed_delivery_and_a_missing_error_code_also_mean_accepted() -> None:
    body = {"To": "ada@example.com", "MessageID": "x", "Message": "Message accepted, but delivery may be delayed."}
    assert reply_to(json_answer(200, body)) == Accepted("x", http_status=200)


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        (10, "account"),
        (300, "message"),
        (400, "account"),
        (401, "account"),
        (402, "message"),
        (403, "message"),
        (405, "account"),
        (406, "recipient"),
        (409, "message"),
        (410, "message"),
        (411, "message"),
        (412, "account"),
        (413, "account"),
    ],
)
def test_an_error_code_is_classified_by_the_table_and_not_by_a_same_looking_status(code: int, scope: str) -> None:
    reply = refusal_of(code)
    assert isinstance(reply, Refused)
    assert reply.scope == scope
    assert not reply.whole_call


def test_a_bad_recipient_is_told_from_a_bad_sender_by_the_words() -> None:
    to, sender = refusal_of(300, "Invalid 'To' address: 'x'."), refusal_of(300, "Invalid 'From' address: 'x'.")
    assert isinstance(to, Refused)
    assert isinstance(sender, Refused)
    assert (to.scope, to.suppress) == ("recipient", "bounced_hard")
    assert (sender.scope, sender.suppress) == ("message", None)


def test_an_inactive_recipient_is_suppressed_and_its_address_is_not_repeated() -> None:
    reply = refusal_of(406, "Found inactive addresses: ada@example.com.\nCall +39 02 1234567. " + "x" * 300)
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.suppress) == ("inactive_recipient", "bounced_hard")
    assert reply.detail.startswith("Found inactive addresses: [address] Call [number]. x")
    assert len(reply.detail) == 200


def test_a_success_that_names_the_recipient_as_inactive_is_a_refusal() -> None:
    body = {**taken(WELCOME), "Message": "OK, but will not deliver to these inactive addresses: ada@example.com"}
    reply = reply_to(json_answer(200, body))
    assert isinstance(reply, Refused)
    assert reply.scope == "recipient"


@pytest.mark.parametrize("code", [100, 429])
def test_maintenance_and_throttling_are_for_later(code: int) -> None:
    assert refusal_of(code) == Later(None, f"postmark_{code}", throttled=True, http_status=422)


def test_of_several_errors_the_one_that_concerns_most_decides() -> None:
    errors = [
        {"ErrorCode": 406, "Message": "a"},
        {"ErrorCode": 400, "Message": "b"},
        {"ErrorCode": 300, "Message": "c"},
    ]
    reply = reply_to(json_answer(422, {"ErrorCode": 11, "Message": "Several.", "Errors": errors}))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope) == ("sender_not_found", "account")


def test_an_unknown_error_code_refuses_the_message() -> None:
    reply = refusal_of(999)
    assert isinstance(reply, Refused)
    assert (reply.scope, reply.detail) == ("message", "No.")


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_server_error_proves_nothing_even_with_error_code_zero(status: int) -> None:
    assert refusal_of(0, status=status) == Unknown(f"http_{status}", http_status=status)
    assert refusal_of(402, status=status) == Unknown(f"http_{status}", http_status=status)


HTML = {"content-type": "text/html"}


@pytest.mark.parametrize(
    ("status", "scope"),
    [
        (301, "account"),
        (307, "account"),
        (400, "message"),
        (401, "account"),
        (402, "account"),
        (403, "account"),
        (404, "account"),
        (405, "message"),
        (406, "message"),
        (413, "message"),
        (415, "message"),
        (422, "message"),
    ],
)
def test_an_html_error_is_classified_by_its_status(status: int, scope: str) -> None:
    reply = reply_to(Answer(status, HTML, b"<h1>Sorry</h1>"))
    assert reply == Refused(f"http_{status}", scope, "", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [408, 409, 500, 502, 504])
def test_an_ambiguous_status_is_unknown(status: int) -> None:
    assert reply_to(Answer(status, HTML, b"")) == Unknown(f"http_{status}", http_status=status)


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_provider_is_asked_later(status: int) -> None:
    reply = reply_to(Answer(status, {**HTML, "retry-after": "12"}, b"<h1>Busy</h1>"))
    assert isinstance(reply, Later)
    assert (reply.after, reply.throttled) == (timedelta(seconds=12), True)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("0", timedelta(0)),
        (" 90 ", timedelta(seconds=90)),
        ("1000000000", timedelta(hours=1)),
        ("9" * 5000, timedelta(hours=1)),
        ("Sun, 01 Mar 2026 09:02:00 GMT", timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 08:00:00 GMT", timedelta(0)),
        ("Mon, 01 Mar 2027 09:00:00 GMT", timedelta(hours=1)),
        ("-5", None),
        ("soon", None),
        ("²", None),
        ("", None),
        ("Sun, 99 Mar 2026 09:02:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_capped_and_garbage_is_ignored(text: str, after: timedelta | None) -> None:
    reply = reply_to(Answer(429, {"retry-after": text}, b""))
    assert reply == Later(after, "http_429", throttled=True, http_status=429)


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(text: str) -> None:
    reply = reply_to(Answer(429, {"retry-after": text}, b""))
    assert isinstance(reply, Later)
    assert reply.after is None or timedelta(0) <= reply.after <= timedelta(hours=1)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(204, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(200, {"content-type": "application/json"}, b'{"MessageID": "a', complete=False),
        Answer(200, {"content-type": "application/json"}, b"[" * 100_000),
        json_answer(200, {"ErrorCode": 0, "MessageID": 5}),
        json_answer(200, {**taken(WELCOME), "To": "eve@example.com"}),
        json_answer(200, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=answer.status)


def test_one_bad_item_of_a_batch_never_changes_another() -> None:
    messages = numbered(4)
    items = [taken(one) for one in messages]
    items[1] = {"ErrorCode": 406, "Message": "Found inactive addresses: c1@example.com."}
    items[2] = {"ErrorCode": 100, "Message": "Maintenance"}
    replies = POSTMARK.replies(json_answer(200, items), messages, NOW)
    assert [type(one) for one in replies] == [Accepted, Refused, Later, Accepted]
    assert replies[3] == Accepted("id-3", http_status=200)


def test_a_misplaced_item_is_taken_without_an_id() -> None:
    messages = numbered(3)
    items = [taken(messages[0]), taken(messages[2]), "?"]
    replies = POSTMARK.replies(json_answer(200, items), messages, NOW)
    unmatched = Accepted(None, ("no_provider_id",), http_status=200)
    assert replies == [Accepted("id-0", http_status=200), unmatched, unmatched]


@pytest.mark.parametrize("body", [[], {"ErrorCode": 0}, [{"ErrorCode": 406, "Message": ""}], "x" * 10])
def test_an_array_of_another_length_was_taken_without_ids(body: Any) -> None:
    replies = POSTMARK.replies(json_answer(200, body), numbered(3), NOW)
    assert replies == [Accepted(None, ("no_provider_id",), http_status=200)] * 3


def test_a_refused_batch_is_never_blamed_on_its_recipients() -> None:
    answer = json_answer(422, {"ErrorCode": 406, "Message": "Found inactive addresses: c1@example.com."})
    for reply in POSTMARK.replies(answer, numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.whole_call) == ("message", None, True)


def test_a_refused_batch_of_unreadable_json_may_be_taken_apart() -> None:
    replies = POSTMARK.replies(json_answer(422, {"ErrorCode": 402, "Message": "Bad"}), numbered(2), NOW)
    assert all(isinstance(one, Refused) and one.whole_call and one.scope == "message" for one in replies)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(POSTMARK.replies(answer, numbered(count), NOW)) == count


def test_a_loopback_provider_needs_no_token_and_any_other_names_its_variable() -> None:
    local = account_of("sandbox_email", Provider(kind="postmark", base_url="http://127.0.0.1:8025/"))
    assert (local.base_url, local.token) == ("http://127.0.0.1:8025", "sandbox")
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__MAIN__TOKEN"):
        account_of("main", Provider(kind="postmark"))


def test_a_token_never_shows_in_a_representation() -> None:
    assert "secret" not in repr(ACCOUNT)
