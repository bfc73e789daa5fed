from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import MIMEPart
from email.policy import HTTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, json_answer
from outgoing import WELCOME as PLAIN
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, LookUp, account_of, batches
from automation.delivery.providers.mailgun import Mailgun
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.delivery.sought import Found, NoIdea, NotThere, Sought
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MAILGUN = Mailgun()
ACCOUNT = Account("https://api.mailgun.net", "secret", domain="mg.example.com")
WELCOME = replace(PLAIN, text="Schön\nund gut")
SOUGHT = Sought(7, "marketing", "ada@example.com", "", NOW, NOW + timedelta(seconds=30))
HTML = {"content-type": "text/html"}
ID = "20260301090000.1.A1B2@mg.example.com"


def words(status: int, text: str, **headers: str) -> Answer:
    return json_answer(status, {"message": text}, **headers)


def form_of(message: Outgoing) -> list[tuple[str, str]]:
    """The form's fields as a reader of MIME finds them."""
    request = MAILGUN.request([message], ACCOUNT, None)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + request.content, policy=HTTP).iter_parts()
    return [(part["content-disposition"].params["name"], _bytes(part).decode()) for part in parts]


def _bytes(part: MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def reply_to(answer: Answer) -> Reply:
    (reply,) = MAILGUN.replies(answer, [WELCOME], NOW)
    return reply


def event(**changes: Any) -> dict[str, Any]:
    return {
        "event": "accepted",
        "recipient": "ada@example.com",
        "user-variables": {"mid": "7"},
        "message": {"headers": {"message-id": ID}},
        **changes,
    }


def test_a_message_is_a_form_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = MAILGUN.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "https://api.mailgun.net/v3/mg.example.com/messages"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == "api:secret"
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert form_of(WELCOME) == [
        ("from", "Shop <hello@example.com>"),
        ("to", "ada@example.com"),
        ("subject", "Grüße – 10 € 🎁"),
        ("text", "Schön\nund gut"),
        ("html", "<p>Schön</p>"),
        ("h:List-Unsubscribe", "<https://shop.example/u/t0k3n>"),
        ("h:List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("o:tag", "welcome"),
        ("v:mid", "7"),
    ]


def test_a_part_that_is_empty_is_left_out() -> None:
    assert "html" not in dict(form_of(replace(WELCOME, html="")))
    assert "text" not in dict(form_of(replace(WELCOME, text="")))


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    first, again = MAILGUN.request([WELCOME], ACCOUNT, None), MAILGUN.request([turned], ACCOUNT, "key")
    assert (first.content, first.headers) == (again.content, again.headers)
    assert MAILGUN.size(WELCOME, ACCOUNT) == len(first.content) == int(first.headers["content-length"])
    assert MAILGUN.key_window is None


def test_a_message_that_quotes_the_end_of_another_ones_form_stays_whole() -> None:
    quoted = MAILGUN.request([WELCOME], ACCOUNT, None).content.decode()
    assert dict(form_of(replace(WELCOME, text=quoted)))["text"] == quoted


@given(st.text(), st.text())
def test_any_text_is_either_refused_or_stands_in_the_form_unchanged(subject: str, text: str) -> None:
    try:
        request = MAILGUN.request([replace(WELCOME, subject=subject, text=text)], ACCOUNT, None)
    except BadMessage:
        return
    _, _, mark = request.headers["content-type"].partition("boundary=")
    parts = request.content.split(f"--{mark}".encode())
    assert parts[3] == b'\r\nContent-Disposition: form-data; name="subject"\r\n\r\n' + subject.encode() + b"\r\n"
    wanted = b'\r\nContent-Disposition: form-data; name="text"\r\n\r\n' + text.encode() + b"\r\n"
    assert (wanted in parts) == bool(text)
    assert (parts[0], parts[-1]) == (b"", b"--\r\n")


def test_every_message_is_a_call_of_its_own() -> None:
    large = replace(WELCOME, html="é" * 1_000_000)
    assert [len(batch) for batch in batches(MAILGUN, [WELCOME, large, WELCOME], ACCOUNT, 500)] == [1, 1, 1]


def test_a_line_break_in_a_header_or_subject_never_becomes_a_message() -> None:
    for broken in ({"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": {'X"\r\n': "a"}}, {"sender": "Shop\n"}):
        with pytest.raises(BadMessage):
            replace(WELCOME, **broken)


def test_an_account_in_the_eu_is_reached_by_its_base_url() -> None:
    token = SecretStr("x")
    there = Provider(kind="mailgun", token=token, domain="mg.example.com", base_url="https://api.eu.mailgun.net")
    request = MAILGUN.request([WELCOME], account_of("main", there), None)
    assert str(request.url) == "https://api.eu.mailgun.net/v3/mg.example.com/messages"


def test_an_accepted_message_keeps_its_id_as_events_write_it() -> None:
    answer = json_answer(200, {"id": f"<{ID}>", "message": "Queued. Thank you."})
    assert reply_to(answer) == Accepted(ID, http_status=200)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(200, {"content-type": "application/json"}, b'{"id": "a', complete=False),
        json_answer(200, {"id": 5}),
        json_answer(200, {"id": "<>"}),
        json_answer(200, []),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == Accepted(None, ("no_provider_id",), http_status=200)


def test_a_success_of_something_that_is_no_part_of_the_api_is_a_wrong_address() -> None:
    for kind in ("text/plain", "application/json"):
        reply = reply_to(Answer(200, {"content-type": kind}, b'"Mailgun Magnificent API"'))
        assert reply == Refused("wrong_address", "account", "", http_status=200)


@pytest.mark.parametrize(
    ("status", "text", "reason", "scope", "suppress"),
    [
        (400, "to parameter is not a valid address. please check documentation", "invalid_recipient", "recipient", 1),
        (400, "from parameter is not a valid address. please check documentation", "invalid_sender", "account", 0),
        (400, "from parameter is missing", "invalid_sender", "account", 0),
        (400, "'to' parameter is not a valid address. please check documentation", "invalid_recipient", "recipient", 1),
        (400, "'from' parameter is not a valid address. please check documentation", "invalid_sender", "account", 0),
        (400, "Domain mg.example.com is not allowed to send: It is unverified.", "not_allowed_to_send", "account", 0),
        (403, "Domain mg.example.com is not allowed to send large batches yet", "not_allowed_to_send", "account", 0),
        (403, "Rejected: IP 1 can't be used to send the message", "address_not_usable", "account", 0),
        (400, "Need at least one of 'text' or 'html' parameters specified", "http_400", "message", 0),
        (401, "Forbidden", "http_401", "account", 0),
        (402, "Request failed", "http_402", "account", 0),
        (404, "Domain not found: mg.example.com", "http_404", "account", 0),
        (413, "request size exceeds 52.4MiB limit", "http_413", "message", 0),
    ],
)
def test_each_row_of_the_class_table(status: int, text: str, reason: str, scope: str, suppress: int) -> None:
    bounced = "bounced_hard" if suppress else None
    wanted = Refused(reason, scope, text, bounced, http_status=status)  # type: ignore[arg-type]
    assert reply_to(words(status, text)) == wanted


def test_an_address_in_the_providers_words_is_not_repeated() -> None:
    reply = reply_to(words(400, "cc parameter\nada@example.com is odd"))
    assert isinstance(reply, Refused)
    assert reply.detail == "cc parameter [address] is odd"


def test_the_plain_text_of_a_bad_key_is_the_accounts() -> None:
    assert reply_to(Answer(401, {"content-type": "text/plain"}, b"Forbidden")) == Refused(
        "http_401", "account", "", http_status=401
    )


LIMIT = "Domain mg.example.com is not allowed to send: recipient limit exceeded"


@pytest.mark.parametrize("status", [400, 403, 420, 429])
def test_a_limit_names_the_date_until_which_to_wait(status: int) -> None:
    reply = reply_to(words(status, f"{LIMIT}, try again after Sun, 01 Mar 2026 09:02:00 UTC"))
    assert reply == Later(timedelta(minutes=2), f"http_{status}", throttled=True, http_status=status)


@pytest.mark.parametrize(
    ("text", "headers", "after"),
    [
        (LIMIT, {}, None),
        (LIMIT, {"retry_after": "12"}, timedelta(seconds=12)),
        (LIMIT, {"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        (f"{LIMIT}, try again after soon", {}, None),
        (f"{LIMIT}, try again after Sun, 01 Mar 2026 08:00:00 UTC", {}, timedelta(0)),
        (f"{LIMIT}, try again after Mon, 02 Mar 2026 09:00:00 UTC", {}, timedelta(hours=1)),
        (f"{LIMIT}, try again after Sun, 01 Mar 2026 09:00:30 UTC", {"retry_after": "9"}, timedelta(seconds=30)),
    ],
)
def test_too_many_requests_wait_as_long_as_words_or_header_say(
    text: str, headers: dict[str, str], after: timedelta | None
) -> None:
    assert reply_to(words(429, text, **headers)) == Later(after, "http_429", throttled=True, http_status=429)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_words(status: int) -> None:
    for answer in (words(status, "Internal Server Error"), Answer(status, HTML, b"<h1>Sorry</h1>")):
        assert reply_to(answer) == Unknown(f"http_{status}", http_status=status)
    if status >= 500:
        assert isinstance(reply_to(words(status, "to parameter is not a valid address")), Unknown)


@pytest.mark.parametrize(("status", "scope"), [(400, "message"), (404, "account"), (413, "message")])
def test_an_html_error_page_is_classified_by_its_status(status: int, scope: str) -> None:
    reply = reply_to(Answer(status, HTML, b"<h1>ada@example.com</h1>"))
    assert reply == Refused(f"http_{status}", scope, "", http_status=status)  # type: ignore[arg-type]


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(MAILGUN.replies(answer, [WELCOME] * count, NOW)) == count


def test_a_message_is_looked_up_by_its_recipient_and_time() -> None:
    assert isinstance(ADAPTERS["mailgun"], LookUp)
    request = MAILGUN.look_up(SOUGHT, ACCOUNT)
    assert (request.method, request.url.path) == ("GET", "/v3/mg.example.com/events")
    assert dict(request.url.params) == {
        "begin": str(int(NOW.timestamp()) - 30),
        "ascending": "yes",
        "limit": "300",
        "recipient": "ada@example.com",
    }
    assert request.headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize("name", ["accepted", "delivered", "failed"])
def test_any_event_of_our_id_to_our_recipient_proves_that_it_was_taken(name: str) -> None:
    other = event(**{"user-variables": {"mid": "8"}, "message": {"headers": {"message-id": "other"}}})
    items = ["?", other, event(event=name, recipient="Ada@Example.com")]
    assert MAILGUN.found(json_answer(200, {"items": items}), SOUGHT) == Found(ID)


@pytest.mark.parametrize(
    "changes",
    [
        {"user-variables": {"mid": "77"}},
        {"user-variables": {}},
        {"user-variables": None},
        {"recipient": "eve@example.com"},
        {"recipient": None},
        {"message": {"headers": {}}},
        {"message": None},
    ],
)
def test_what_is_not_certainly_ours_proves_nothing(changes: dict[str, Any]) -> None:
    assert MAILGUN.found(json_answer(200, {"items": [event(**changes)]}), SOUGHT) == NotThere()
    assert MAILGUN.found(json_answer(200, {"items": []}), SOUGHT) == NotThere()


@pytest.mark.parametrize("answer", [words(401, "Forbidden"), json_answer(200, {}), Answer(200, HTML, b"<h1>")])
def test_an_answer_that_is_none_gives_no_idea(answer: Answer) -> None:
    assert isinstance(MAILGUN.found(answer, SOUGHT), NoIdea)


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("sandbox_email", Provider(kind="mailgun", base_url="http://127.0.0.1:8025/"))
    assert (account.token, account.domain) == ("sandbox", "sandbox.example")


@pytest.mark.parametrize(
    ("provider", "told"),
    [
        (Provider(kind="mailgun", domain="mg.example.com"), "AUTOMATION_PROVIDERS__MAIN__TOKEN"),
        (Provider(kind="mailgun", token=SecretStr("x")), r"\[providers.main\] domain"),
        (Provider(kind="mailgun", token=SecretStr("x"), domain="mg"), r"\[providers.main\] domain"),
        (Provider(kind="mailgun", token=SecretStr("x"), domain="mg.example.com/v3"), r"\[providers.main\] domain"),
        (Provider(kind="mailgun", token=SecretStr("x"), domain="https://mg.example.com"), "write the domain"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        account_of("main", provider)
