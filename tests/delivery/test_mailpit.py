import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, json_answer
from outgoing import WELCOME as PLAIN
from pydantic import SecretStr

from automation.delivery.providers import ADAPTERS, Account, account_of, batches
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MAILPIT = ADAPTERS["mailpit"]
ACCOUNT = Account("http://127.0.0.1:8025", "sandbox")
WELCOME = replace(PLAIN, sender="Grüße, GmbH <hello@example.com>", tag="win-back_2")
HTML = {"content-type": "text/html"}


def reply_to(answer: Answer) -> Reply:
    (reply,) = MAILPIT.replies(answer, [WELCOME], NOW)
    return reply


def test_a_message_goes_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = MAILPIT.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "http://127.0.0.1:8025/api/v1/send"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "From": {"Email": "hello@example.com", "Name": "Grüße, GmbH"},
        "To": [{"Email": "ada@example.com"}],
        "Subject": WELCOME.subject,
        "Text": "Schön",
        "HTML": "<p>Schön</p>",
        "Headers": {**UNSUBSCRIBE, "X-Message-Id": "7"},
        "Tags": ["win-back_2"],
    }


def test_it_is_asked_without_a_password_unless_it_has_one() -> None:
    assert "authorization" not in MAILPIT.request([WELCOME], ACCOUNT, None).headers
    header = MAILPIT.request([WELCOME], replace(ACCOUNT, account="dev", token="secret"), None).headers["authorization"]
    assert b64decode(header.removeprefix("Basic ")) == b"dev:secret"


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    assert MAILPIT.request([WELCOME], ACCOUNT, None).content == MAILPIT.request([turned], ACCOUNT, "key").content


def test_every_message_is_a_call_of_its_own() -> None:
    assert [len(batch) for batch in batches(MAILPIT, [WELCOME, WELCOME], ACCOUNT, 500)] == [1, 1]
    assert MAILPIT.size(WELCOME, ACCOUNT) == len(MAILPIT.request([WELCOME], ACCOUNT, None).content)


def test_a_line_break_in_a_header_never_becomes_a_message() -> None:
    with pytest.raises(BadMessage):
        replace(WELCOME, headers={"X-Name": "a\r\nBcc: eve@example.com"})


def test_a_caught_message_keeps_its_id() -> None:
    assert reply_to(json_answer(200, {"ID": "iAfZVVe2UQfNSG5BAjgYwa"})) == Accepted(
        "iAfZVVe2UQfNSG5BAjgYwa", http_status=200
    )


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(200, {"content-type": "application/json"}, b'{"ID": "a', complete=False),
        json_answer(200, {"ID": 5}),
        json_answer(200, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=200)


def test_what_it_does_not_take_is_the_messages_fault() -> None:
    reply = reply_to(json_answer(400, {"Error": "invalid To address: ada@example.com"}))
    assert reply == Refused("mailpit_error", "message", "invalid To address: [address]", http_status=400)


@pytest.mark.parametrize(("status", "scope"), [(400, "message"), (413, "message"), (401, "account"), (404, "account")])
def test_a_refusal_without_words_is_classified_by_its_status(status: int, scope: str) -> None:
    reply = reply_to(Answer(status, HTML, b"<h1>No</h1>"))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope) == (f"http_{status}", scope)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing(status: int) -> None:
    for answer in (json_answer(status, {"Error": "database is locked"}), Answer(status, HTML, b"")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)


@pytest.mark.parametrize("when", ["120", "Sun, 01 Mar 2026 09:02:00 GMT"])
def test_a_busy_proxy_is_asked_later(when: str) -> None:
    for status in (429, 503):
        reply = reply_to(Answer(status, {**HTML, "retry-after": when}, b""))
        assert reply == Later(timedelta(minutes=2), f"http_{status}", throttled=True, http_status=status)


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans())
def test_whatever_comes_back_there_is_a_reply(status: int, body: bytes, whole: bool) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(MAILPIT.replies(answer, [WELCOME], NOW)) == 1


def test_on_this_machine_nothing_has_to_be_set() -> None:
    assert Provider(kind="mailpit").is_loopback
    account = account_of("caught", Provider(kind="mailpit"))
    assert (account.base_url, account.token, account.account) == ("http://127.0.0.1:8025", "sandbox", None)


def test_elsewhere_it_is_a_provider_like_any_other() -> None:
    elsewhere = Provider(kind="mailpit", base_url="http://mailpit:8025", token=SecretStr("secret"), account="dev")
    assert not elsewhere.is_loopback
    account = account_of("caught", elsewhere)
    assert (account.base_url, account.token, account.account) == ("http://mailpit:8025", "secret", "dev")
    with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__CAUGHT__TOKEN"):
        account_of("caught", Provider(kind="mailpit", base_url="http://mailpit:8025"))


def test_a_name_that_would_end_before_its_password_begins_is_refused() -> None:
    with pytest.raises(BadInput, match=r"\[providers.caught\] account"):
        account_of("caught", Provider(kind="mailpit", account="dev:secret"))


def test_mailpit_catches_email() -> None:
    assert Provider(kind="mailpit").channel == "email"
