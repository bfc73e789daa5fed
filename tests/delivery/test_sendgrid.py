import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, WELCOME, json_answer
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.providers.classify import mailbox
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
SENDGRID = ADAPTERS["sendgrid"]
ACCOUNT = Account("https://api.sendgrid.com", "secret")
HTML = {"content-type": "text/html"}


def errors(status: int, *fields: str | None, text: str = "No.", **headers: str) -> Answer:
    found = [{"message": text, "field": field, "help": None} for field in fields]
    return json_answer(status, {"errors": found, "id": "x"}, **headers)


def body_of(message: Outgoing) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(SENDGRID.request([message], ACCOUNT, None).content)
    return body


def reply_to(answer: Answer) -> Reply:
    (reply,) = SENDGRID.replies(answer, [WELCOME], NOW)
    return reply


def test_a_message_goes_out_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = SENDGRID.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "https://api.sendgrid.com/v3/mail/send"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "personalizations": [
            {"to": [{"email": "ada@example.com"}], "headers": UNSUBSCRIBE, "custom_args": {"mid": "7"}}
        ],
        "from": {"email": "hello@example.com", "name": "Shop"},
        "subject": "Grüße – 10 € 🎁",
        "content": [{"type": "text/plain", "value": "Schön"}, {"type": "text/html", "value": "<p>Schön</p>"}],
        "categories": ["welcome"],
    }


def test_a_part_that_is_empty_is_left_out() -> None:
    assert [part["type"] for part in body_of(replace(WELCOME, html=""))["content"]] == ["text/plain"]
    assert [part["type"] for part in body_of(replace(WELCOME, text=""))["content"]] == ["text/html"]


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("hello@example.com", "", "hello@example.com"),
        (" Caffè, Ltd <hello@example.com> ", "Caffè, Ltd", "hello@example.com"),
        ('"Caffè \\"Uno\\", Ltd" <hello@example.com>', 'Caffè "Uno", Ltd', "hello@example.com"),
        ("<hello@example.com>", "", "hello@example.com"),
        ('" <hello@example.com>', '"', "hello@example.com"),
    ],
)
def test_name_and_address_of_the_sender_stand_apart(sender: str, name: str, address: str) -> None:
    assert mailbox(sender) == (name, address)
    wanted = {"email": address, "name": name} if name else {"email": address}
    assert body_of(replace(WELCOME, sender=sender))["from"] == wanted


def test_an_account_in_the_eu_is_reached_by_its_base_url() -> None:
    token = SecretStr("x")
    there = account_of("main", Provider(kind="sendgrid", token=token, base_url="https://api.eu.sendgrid.com/"))
    assert str(SENDGRID.request([WELCOME], there, None).url) == "https://api.eu.sendgrid.com/v3/mail/send"
    assert account_of("main", Provider(kind="sendgrid", token=token)).base_url == "https://api.sendgrid.com"


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    first, again = SENDGRID.request([WELCOME], ACCOUNT, None), SENDGRID.request([turned], ACCOUNT, "key")
    assert (first.content, first.headers) == (again.content, again.headers)
    assert SENDGRID.size(WELCOME, ACCOUNT) == len(first.content)
    assert SENDGRID.key_window is None


def test_every_message_is_a_call_of_its_own() -> None:
    large = replace(WELCOME, html="é" * 1_000_000)
    assert [len(batch) for batch in batches(SENDGRID, [WELCOME, large, WELCOME], ACCOUNT, 500)] == [1, 1, 1]


def test_a_line_break_in_a_header_or_subject_never_becomes_a_message() -> None:
    for broken in ({"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": {"X-Name": "a\nb"}}, {"sender": "Shop\n"}):
        with pytest.raises(BadMessage):
            replace(WELCOME, **broken)


@given(st.text(), st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(subject: str, text: str) -> None:
    try:
        body = body_of(replace(WELCOME, subject=subject, text=text, html="<p>"))
    except BadMessage:
        return
    assert (body["subject"], [part["value"] for part in body["content"]]) == (
        subject,
        [*([text] if text else []), "<p>"],
    )


@pytest.mark.parametrize("status", [200, 202])
def test_an_accepted_message_keeps_the_id_that_stands_in_a_header(status: int) -> None:
    answer = Answer(status, {"x-message-id": "14c5d75ce93.dfd-64b469"}, b"")
    assert reply_to(answer) == Accepted("14c5d75ce93.dfd-64b469", http_status=status)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(202, {}, b""),
        Answer(202, {"x-message-id": ""}, b""),
        Answer(202, {"x-message-id": "x" * 101}, b""),
        Answer(202, HTML, b"<h1>OK</h1>"),
        Answer(202, {"content-type": "application/json"}, b'{"a', complete=False),
        errors(202, "from"),
    ],
)
def test_a_success_that_names_no_id_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=202)


@pytest.mark.parametrize(
    ("status", "field", "reason", "scope"),
    [
        (400, "subject", "http_400", "message"),
        (400, None, "http_400", "message"),
        (400, "personalizations", "http_400", "message"),
        (400, "personalizations.0.headers", "http_400", "message"),
        (400, "content.1.value", "http_400", "message"),
        (400, "from.email", "invalid_sender", "account"),
        (401, None, "http_401", "account"),
        (403, "from", "http_403", "account"),
        (404, "null", "http_404", "account"),
        (405, "null", "http_405", "account"),
        (413, "null", "http_413", "message"),
    ],
)
def test_each_row_of_the_class_table(status: int, field: str | None, reason: str, scope: str) -> None:
    reply = reply_to(errors(status, field, text="Not\nada@example.com."))
    assert reply == Refused(reason, scope, "Not [address]", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["personalizations.0.to.0.email", "personalizations.0.to"])
def test_a_bad_recipient_is_told_by_the_field(field: str) -> None:
    reply = reply_to(errors(400, field, text="Does not contain a valid address."))
    told = "Does not contain a valid address."
    assert reply == Refused("invalid_recipient", "recipient", told, "bounced_hard", http_status=400)


def test_of_several_errors_the_one_that_concerns_most_decides() -> None:
    recipient, sender = "personalizations.0.to.0.email", "from.email"
    for fields, scope in (((recipient, sender, "subject"), "account"), ((recipient, "subject"), "message")):
        reply = reply_to(errors(400, *fields))
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress) == (scope, None)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"x_ratelimit_reset": str(int(NOW.timestamp()) + 40)}, timedelta(seconds=40)),
        ({"x_ratelimit_reset": str(int(NOW.timestamp()) - 40)}, timedelta(0)),
        ({"x_ratelimit_reset": "99999999999"}, timedelta(hours=1)),
        ({"x_ratelimit_reset": "9" * 5000}, None),
        ({"x_ratelimit_reset": "soon"}, None),
        ({"retry_after": "12"}, timedelta(seconds=12)),
        ({"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"retry_after": "90", "x_ratelimit_reset": str(int(NOW.timestamp()) + 40)}, timedelta(seconds=90)),
    ],
)
def test_too_many_requests_wait_as_long_as_either_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    assert reply_to(errors(429, None, **headers)) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_field(status: int) -> None:
    for answer in (errors(status, "personalizations.0.to.0.email"), Answer(status, HTML, b"<h1>Sorry</h1>")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (401, "account"), (404, "account"), (405, "account"), (413, "message")]
)
def test_an_html_error_page_is_classified_by_its_status(status: int, scope: str) -> None:
    reply = reply_to(Answer(status, HTML, b"<h1>ada@example.com</h1>"))
    assert reply == Refused(f"http_{status}", scope, "", http_status=status)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [[], {"errors": "x"}, {"errors": ["x"]}, {"errors": []}, "x", None])
def test_errors_that_cannot_be_read_leave_the_status(body: Any) -> None:
    assert reply_to(json_answer(400, body)) == Refused("http_400", "message", "", http_status=400)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(SENDGRID.replies(answer, [WELCOME] * count, NOW)) == count


def test_a_loopback_provider_needs_no_token_and_any_other_names_its_variable() -> None:
    local = account_of("sandbox_email", Provider(kind="sendgrid", base_url="http://127.0.0.1:8025/"))
    assert (local.base_url, local.token) == ("http://127.0.0.1:8025", "sandbox")
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__MAIN__TOKEN"):
        account_of("main", Provider(kind="sendgrid"))
