import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

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
BREVO = ADAPTERS["brevo"]
ACCOUNT = Account("https://api.brevo.com", "secret")
WELCOME = replace(PLAIN, tag="win-back_2")
HTML = {"content-type": "text/html"}
TAKEN = Accepted(None, ("no_provider_id",), http_status=201)


def error(status: int, code: str, text: str = "No.") -> Answer:
    return json_answer(status, {"code": code, "message": text})


def reply_to(answer: Answer) -> Reply:
    (reply,) = BREVO.replies(answer, [WELCOME], NOW)
    return reply


def body_of(messages: list[Outgoing], key: str | None = None) -> Any:
    return json.loads(BREVO.request(messages, ACCOUNT, key).content)


def numbered(count: int) -> list[Outgoing]:
    return [replace(WELCOME, message_id=number, recipient=f"c{number}@example.com") for number in range(count)]


def test_one_message_goes_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = BREVO.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "https://api.brevo.com/v3/smtp/email"
    assert (request.headers["api-key"], request.headers["content-type"]) == ("secret", "application/json")
    assert body_of([WELCOME]) == {
        "sender": {"email": "hello@example.com", "name": "Shop"},
        "to": [{"email": "ada@example.com"}],
        "subject": WELCOME.subject,
        "htmlContent": "<p>Schön</p>",
        "textContent": "Schön",
        "headers": {**UNSUBSCRIBE, "X-Mailin-custom": "7"},
        "tags": ["win-back_2"],
    }


@pytest.mark.parametrize(
    ("sender", "found"),
    [
        ("hello@example.com", {"email": "hello@example.com"}),
        ("<hello@example.com>", {"email": "hello@example.com"}),
        ('"Müller, Söhne" <hello@example.com>', {"email": "hello@example.com", "name": "Müller, Söhne"}),
    ],
)
def test_a_sender_is_taken_apart(sender: str, found: dict[str, str]) -> None:
    assert body_of([replace(WELCOME, sender=sender)])["sender"] == found


def test_a_message_that_is_text_alone_gets_the_html_without_which_it_is_refused() -> None:
    body = body_of([replace(WELCOME, html="", text="1 < 2\nHi")])
    assert body["htmlContent"] == '<pre style="white-space: pre-wrap">1 &lt; 2\nHi</pre>'
    assert body["textContent"] == "1 < 2\nHi"
    assert "textContent" not in body_of([replace(WELCOME, text="")])


def test_several_messages_are_versions_with_words_and_headers_of_their_own() -> None:
    body = body_of(numbered(3))
    assert [one["to"] for one in body["messageVersions"]] == [[{"email": f"c{n}@example.com"}] for n in range(3)]
    assert [one["headers"]["X-Mailin-custom"] for one in body["messageVersions"]] == ["0", "1", "2"]
    for version in body["messageVersions"]:
        assert version["headers"].items() >= UNSUBSCRIBE.items()
        assert (version["subject"], version["htmlContent"]) == (WELCOME.subject, WELCOME.html)
    assert "to" not in body
    assert body["tags"] == ["win-back_2"]


def test_nobodys_words_stand_where_everybody_would_get_them() -> None:
    body = body_of(numbered(2))
    assert (body["subject"], body["htmlContent"], body.get("textContent")) == ("-", "-", None)


def test_a_call_with_messages_of_two_playbooks_has_no_tag() -> None:
    assert "tags" not in body_of([WELCOME, replace(WELCOME, message_id=8, tag="other")])


@pytest.mark.parametrize("count", [1, 3])
def test_a_key_becomes_a_random_looking_uuid_that_is_always_the_same(count: int) -> None:
    first, again, other = (body_of(numbered(count), key)["headers"]["idempotencyKey"] for key in ("k-1", "k-1", "k-2"))
    assert first == again != other
    assert str(UUID(first)) == first
    assert UUID(first).version == 4


@pytest.mark.parametrize("count", [1, 3])
def test_a_repeated_call_is_the_same_to_the_byte(count: int) -> None:
    turned = [replace(one, headers=dict(reversed(UNSUBSCRIBE.items()))) for one in numbered(count)]
    first = BREVO.request(numbered(count), ACCOUNT, "k-1")
    assert first.content == BREVO.request(turned, ACCOUNT, "k-1").content


def test_without_a_key_none_is_made_up() -> None:
    assert "idempotencyKey" not in body_of([WELCOME])["headers"]
    assert "headers" not in body_of(numbered(2))


def test_a_key_is_not_trusted_to_its_last_minutes() -> None:
    assert BREVO.key_window == timedelta(minutes=25)


def test_a_thousand_and_one_messages_are_split_before_the_first_attempt() -> None:
    assert [len(batch) for batch in batches(BREVO, numbered(1001), ACCOUNT, 2000)] == [1000, 1]


def test_a_batch_is_also_split_by_its_bytes() -> None:
    large = [replace(one, html="é" * 1_000_000) for one in numbered(12)]
    found = list(batches(BREVO, large, ACCOUNT, 100))
    assert [message for batch in found for message in batch] == large
    sizes = [len(BREVO.request(batch, ACCOUNT, "k").content) for batch in found]
    assert len(sizes) > 1
    assert all(size <= BREVO.batch_bytes for size in sizes)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_sizes_of_the_messages_are_never_less_than_that_of_their_call(count: int) -> None:
    messages = numbered(count)
    content = BREVO.request(messages, ACCOUNT, "k").content
    assert sum(BREVO.size(one, ACCOUNT) for one in messages) + 2 >= len(content)


def test_a_line_break_in_a_header_or_subject_never_becomes_a_message() -> None:
    for broken in ({"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": {"X-Name": "a\nb"}}, {"sender": "Shop\n"}):
        with pytest.raises(BadMessage):
            replace(WELCOME, **broken)


def test_an_accepted_message_keeps_the_providers_id() -> None:
    message_id = "<202603010900.1@smtp-relay.mailin.fr>"
    assert reply_to(json_answer(201, {"messageId": message_id})) == Accepted(message_id, http_status=201)


def test_the_ids_of_a_batch_are_in_the_order_of_its_messages() -> None:
    replies = BREVO.replies(json_answer(201, {"messageIds": ["a", "b", "c"]}), numbered(3), NOW)
    assert replies == [Accepted(one, http_status=201) for one in "abc"]


def test_one_id_that_cannot_be_read_never_changes_another() -> None:
    replies = BREVO.replies(json_answer(201, {"messageIds": ["a", None, "c"]}), numbered(3), NOW)
    assert replies == [Accepted("a", http_status=201), TAKEN, Accepted("c", http_status=201)]


@pytest.mark.parametrize("body", [[], {}, {"messageId": "a"}, {"messageIds": ["a"]}, {"messageIds": "abc"}, "x"])
def test_a_batch_whose_ids_cannot_be_matched_was_taken_without_ids(body: Any) -> None:
    assert BREVO.replies(json_answer(201, body), numbered(3), NOW) == [TAKEN] * 3


@pytest.mark.parametrize(
    "answer",
    [
        Answer(201, {}, b""),
        Answer(201, HTML, b"<h1>OK</h1>"),
        Answer(201, {"content-type": "application/json"}, b'{"messageId": "a', complete=False),
        json_answer(201, {"messageId": 5}),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == TAKEN


@pytest.mark.parametrize("code", ["duplicate_request", "duplicate_parameter"])
@pytest.mark.parametrize("count", [1, 3])
def test_what_an_earlier_call_has_the_key_of_was_taken(code: str, count: int) -> None:
    replies = BREVO.replies(error(400, code), numbered(count), NOW)
    assert replies == [Accepted(None, ("no_provider_id",), http_status=400)] * count


@pytest.mark.parametrize(
    ("status", "code", "scope"),
    [
        (400, "bad_request", "message"),
        (400, "invalid_parameter", "message"),
        (400, "missing_parameter", "message"),
        (400, "out_of_range", "message"),
        (422, "unprocessable_entity", "message"),
        (400, "account_under_validation", "account"),
        (401, "unauthorized", "account"),
        (402, "not_enough_credits", "account"),
        (403, "permission_denied", "account"),
        (404, "document_not_found", "account"),
        (405, "method_not_allowed", "account"),
        (406, "not_acceptable", "account"),
    ],
)
def test_each_row_of_the_class_table(status: int, code: str, scope: str) -> None:
    assert reply_to(error(status, code)) == Refused(code, scope, "No.", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "scope"),
    [
        (400, "message"),
        (413, "message"),
        (422, "message"),
        (401, "account"),
        (404, "account"),
        (405, "account"),
        (406, "account"),
    ],
)
def test_a_refusal_without_a_known_code_is_classified_by_its_status(status: int, scope: str) -> None:
    for answer in (error(status, "brand_new"), Answer(status, HTML, b"<h1>Too large</h1>")):
        reply = reply_to(answer)
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope) == (f"http_{status}", scope)


def test_a_sender_that_is_not_verified_keeps_the_messages() -> None:
    reply = reply_to(error(400, "invalid_parameter", "The sender hello@example.com is not valid."))
    assert reply == Refused("invalid_parameter", "account", "The sender [address] is not valid.", http_status=400)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry-after": "12"}, timedelta(seconds=12)),
        ({"retry-after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"x-sib-ratelimit-reset": "45"}, timedelta(seconds=45)),
        ({"retry-after": "60", "x-sib-ratelimit-reset": "45"}, timedelta(seconds=60)),
        ({"retry-after": "soon", "x-sib-ratelimit-reset": "-1"}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_either_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    bodies: list[Any] = [{"code": "too_many_requests", "message": "Slow"}, {"code": "duplicate_request"}, []]
    for body in bodies:
        assert reply_to(json_answer(429, body, **headers)) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_code(status: int) -> None:
    for answer in (error(status, "brand_new"), Answer(status, HTML, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)
    if status >= 500:
        for code in ("invalid_parameter", "duplicate_request"):
            assert reply_to(error(status, code)) == Unknown(f"http_{status}", http_status=status)


def test_a_refused_batch_lets_each_message_be_posted_alone() -> None:
    for reply in BREVO.replies(error(400, "invalid_parameter", "email is not valid in to"), numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress, reply.whole_call) == ("message", None, True)
    for reply in BREVO.replies(error(402, "not_enough_credits"), numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.whole_call) == ("account", False)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(BREVO.replies(answer, numbered(count), NOW)) == count


def test_the_address_can_be_replaced_and_the_token_is_wanted() -> None:
    local = account_of("mail", Provider(kind="brevo", base_url="http://127.0.0.1:8025/"))
    assert (local.base_url, local.token) == ("http://127.0.0.1:8025", "sandbox")
    assert str(BREVO.request([WELCOME], local, None).url) == "http://127.0.0.1:8025/v3/smtp/email"
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__MAIL__TOKEN"):
        account_of("mail", Provider(kind="brevo"))
    assert Provider(kind="brevo").channel == "email"
