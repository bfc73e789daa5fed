import json
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from outgoing import UNSUBSCRIBE, WELCOME, json_answer
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import Account, account_of, batches
from automation.delivery.providers.mailjet import REFUSALS, Mailjet
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.delivery.sought import Sought
from automation.errors import BadInput, BadMessage
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MAILJET = Mailjet()
KEY = "0123456789abcdef" * 2
ACCOUNT = Account("https://api.mailjet.com", "secret", KEY)
SOUGHT = Sought(7, "marketing", "ada@example.com", "", NOW, NOW + timedelta(seconds=30))
HTML = {"content-type": "text/html"}
JSON = {"content-type": "application/json; charset=UTF-8"}
LARGE = 1152921519812251571  # more than fits into a floating-point number
UNCLEAR = Unknown("not_understood", http_status=400)
WITHOUT_ID = Accepted(None, ("no_provider_id",), http_status=200)


def told(status: int, *items: Any) -> Answer:
    return json_answer(status, {"Messages": list(items)})


def numbered(count: int) -> list[Outgoing]:
    return [replace(WELCOME, message_id=number, recipient=f"c{number}@example.com") for number in range(count)]


def taken(message: Outgoing, **changes: Any) -> dict[str, Any]:
    to = {"Email": message.recipient, "MessageUUID": "u", "MessageID": LARGE + message.message_id, "MessageHref": "h"}
    return {"Status": "success", "CustomID": str(message.message_id), "To": [to], "Cc": [], "Bcc": [], **changes}


def error(code: str, status: Any = 400, related: Any = (), text: str = "No.") -> dict[str, Any]:
    words = {"ErrorCode": code, "StatusCode": status, "ErrorMessage": text, "ErrorRelatedTo": list(related)}
    return {"ErrorIdentifier": "f987008f-251a-4dff-8ffc-40f1583ad7bc", **words}


def bad(*errors: Any) -> dict[str, Any]:
    return {"Status": "error", "Errors": list(errors)}


def reply_to(answer: Answer) -> Reply:
    (reply,) = MAILJET.replies(answer, [WELCOME], NOW)
    return reply


def test_a_message_goes_out_with_its_own_id_its_playbook_and_its_way_out() -> None:
    request = MAILJET.request([WELCOME], ACCOUNT, None)
    assert str(request.url) == "https://api.mailjet.com/v3.1/send"
    assert b64decode(request.headers["authorization"].removeprefix("Basic ")).decode() == f"{KEY}:secret"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {
        "Messages": [
            {
                "From": {"Email": "hello@example.com", "Name": "Shop"},
                "To": [{"Email": "ada@example.com"}],
                "Subject": "Grüße – 10 € 🎁",
                "TextPart": "Schön",
                "HTMLPart": "<p>Schön</p>",
                "Headers": UNSUBSCRIBE,
                "CustomID": "7",
                "CustomCampaign": "welcome",
            }
        ]
    }


def test_what_is_empty_is_left_out() -> None:
    plain = replace(WELCOME, sender="hello@example.com", html="")
    (message,) = json.loads(MAILJET.request([plain], ACCOUNT, None).content)["Messages"]
    assert message["From"] == {"Email": "hello@example.com"}
    assert "HTMLPart" not in message
    assert b"TextPart" not in MAILJET.request([replace(WELCOME, text="")], ACCOUNT, None).content


def test_several_messages_are_one_call_in_their_order() -> None:
    content = json.loads(MAILJET.request(numbered(3), ACCOUNT, None).content)
    assert [one["CustomID"] for one in content["Messages"]] == ["0", "1", "2"]
    assert [len(one["To"]) for one in content["Messages"]] == [1, 1, 1]


def test_the_same_input_gives_the_same_bytes_whatever_the_order_of_the_headers() -> None:
    turned = replace(WELCOME, headers=dict(reversed(UNSUBSCRIBE.items())))
    first, again = MAILJET.request([WELCOME], ACCOUNT, None), MAILJET.request([turned], ACCOUNT, "key")
    assert (first.content, first.headers) == (again.content, again.headers)
    assert MAILJET.key_window is None


def test_fifty_one_messages_are_split_before_the_first_attempt() -> None:
    assert [len(batch) for batch in batches(MAILJET, numbered(50), ACCOUNT, 500)] == [50]
    assert [len(batch) for batch in batches(MAILJET, numbered(51), ACCOUNT, 500)] == [50, 1]


def test_a_batch_is_also_split_by_its_bytes() -> None:
    class Narrow(Mailjet):
        batch_bytes = 6000 - len('{"Messages":[]}')

    large = [replace(one, html="é" * 250) for one in numbered(12)]
    found = list(batches(Narrow(), large, ACCOUNT, 500))
    assert [message for batch in found for message in batch] == large
    sizes = [len(MAILJET.request(batch, ACCOUNT, None).content) for batch in found]
    assert len(sizes) > 1
    assert all(size <= 6000 for size in sizes)


def test_a_line_break_in_a_header_or_subject_never_becomes_a_message() -> None:
    for broken in ({"subject": "Hi\r\nBcc: eve@example.com"}, {"headers": {"X-Name": "a\nb"}}, {"sender": "Shop\n"}):
        with pytest.raises(BadMessage):
            replace(WELCOME, **broken)


@given(st.text(), st.text())
def test_any_text_is_either_refused_or_arrives_unchanged(subject: str, text: str) -> None:
    try:
        request = MAILJET.request([replace(WELCOME, subject=subject, text=text)], ACCOUNT, None)
    except BadMessage:
        return
    (message,) = json.loads(request.content)["Messages"]
    assert (message["Subject"], message.get("TextPart", "")) == (subject, text)


def test_an_account_elsewhere_is_reached_by_its_base_url() -> None:
    there = Provider(kind="mailjet", token=SecretStr("x"), account=KEY, base_url="https://api.us.mailjet.com")
    request = MAILJET.request([WELCOME], account_of("main", there), None)
    assert str(request.url) == "https://api.us.mailjet.com/v3.1/send"


def test_an_accepted_message_keeps_the_providers_id_to_the_last_digit() -> None:
    assert reply_to(told(200, taken(WELCOME))) == Accepted("1152921519812251578", http_status=200)
    as_text = taken(WELCOME, To=[{"Email": "ada@example.com", "MessageID": "576460765503091475"}])
    assert reply_to(told(200, as_text)) == Accepted("576460765503091475", http_status=200)


def test_messages_are_read_first_although_the_status_is_that_of_an_error() -> None:
    messages = numbered(4)
    address = error("mj-0013", related=["To[0].Email"], text='"c1@example.com" is an invalid email address.')
    items = [taken(messages[0]), bad(address), bad(error("send-0003")), taken(messages[3])]
    first, second, third, last = MAILJET.replies(told(400, *items), messages, NOW)
    assert (first, last) == (Accepted(str(LARGE), http_status=400), Accepted(str(LARGE + 3), http_status=400))
    words = '"[address]" is an invalid email address.'
    assert second == Refused("invalid_address", "recipient", words, "bounced_hard", http_status=400)
    assert third == Refused("no_content", "message", "No.", http_status=400)


CODES = [
    *[("send-" + code, "message") for code in ("0003", "0004", "0010", "0011", "0012", "0013", "0015", "0016")],
    *[("send-" + code, "account") for code in ("0006", "0007", "0008")],
    *[(f"mj-{code:04}", "message") for code in (2, 3, 4, 5, 6, 7, 8, 11, 12, 13)],
    *[("mj-0001", "account"), ("mj-0015", "account")],
]


@pytest.mark.parametrize(("code", "scope"), CODES)
def test_each_row_of_the_class_table(code: str, scope: str) -> None:
    reason, _ = REFUSALS[code]
    for answer in (told(400, bad(error(code))), json_answer(400, error(code))):
        assert reply_to(answer) == Refused(reason, scope, "No.", http_status=400)  # type: ignore[arg-type]
    assert set(REFUSALS) == {known for known, _ in CODES}


@pytest.mark.parametrize(
    ("code", "related", "scope", "suppress"),
    [
        ("mj-0013", ["To[0].Email"], "recipient", "bounced_hard"),
        ("mj-0012", ["To[0].Email"], "recipient", None),
        ("mj-0003", ["To"], "recipient", None),
        ("send-0015", ["To", "CC", "Bcc"], "message", None),
        ("mj-0013", ["From.Email"], "account", None),
        ("mj-0013", ["ReplyTo.Email"], "message", None),
        ("mj-0013", ["TopSecret"], "message", None),
        ("mj-0013", [None, 5], "message", None),
        ("send-0008", ["To"], "account", None),
    ],
)
def test_the_property_an_error_is_related_to_tells_whom_it_concerns(
    code: str, related: list[Any], scope: str, suppress: str | None
) -> None:
    reply = reply_to(told(400, bad(error(code, related=related))))
    assert isinstance(reply, Refused)
    assert (reply.scope, reply.suppress) == (scope, suppress)


def test_of_several_errors_the_one_that_concerns_most_decides() -> None:
    errors = [error("mj-0013", related=["To[0].Email"]), error("send-0008", 403, ["From"]), error("mj-0006")]
    assert reply_to(told(403, bad(*errors))) == Refused("sender_not_authorized", "account", "No.", http_status=403)
    assert isinstance(reply_to(told(403, bad(*errors, error("x", 429)))), Later)
    assert isinstance(reply_to(told(403, bad(error("x", 429), error("x", 500), *errors))), Unknown)


@pytest.mark.parametrize(
    ("own", "reply"),
    [
        (400, Refused("http_400", "message", "No.", http_status=400)),
        (403, Refused("http_403", "account", "No.", http_status=400)),
        (429, Later(None, "http_429", throttled=True, http_status=400)),
        (500, Unknown("http_500", http_status=400)),
        (200, Unknown("http_200", http_status=400)),
        (503, Unknown("http_503", http_status=400)),
        ("403", Refused("http_400", "message", "No.", http_status=400)),
    ],
)
def test_an_error_that_is_not_known_is_classified_by_its_own_status(own: Any, reply: Reply) -> None:
    assert reply_to(told(400, bad(error("mj-9999", own)))) == reply


def test_an_error_of_theirs_proves_nothing_for_its_message() -> None:
    assert reply_to(told(400, bad(error("send-0003", 500)))) == Unknown("http_500", http_status=400)
    for item in (bad(), bad("?"), {"Status": "error"}, {"Status": "error", "Errors": 5}):
        assert reply_to(told(400, item)) == UNCLEAR


def test_an_error_of_the_call_lets_each_message_be_posted_alone() -> None:
    broken = error("mj-0002", text="Malformed JSON")
    for reply in MAILJET.replies(json_answer(400, broken), numbered(3), NOW):
        assert reply == Refused("invalid_json", "message", "Malformed JSON", whole_call=True, http_status=400)


@pytest.mark.parametrize(
    "body",
    [
        error("mj-0001", 401),
        {"ErrorIdentifier": "x", "StatusCode": 401, "ErrorMessage": "API key authentication/authorization failure."},
        None,
    ],
)
def test_bad_credentials_are_the_accounts_for_every_message(body: Any) -> None:
    for reply in MAILJET.replies(json_answer(401, body), numbered(3), NOW):
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.whole_call) == ("account", False)


@pytest.mark.parametrize("status", [400, 403])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, JSON, b'{"Messages": [{"Status": "succ', complete=False),
        Answer(400, HTML, b"<h1>Sor", complete=False),
        Answer(400, JSON, b""),
        Answer(400, {}, b""),
        json_answer(400, {}),
        json_answer(400, []),
        json_answer(400, {"Messages": "x"}),
        told(400, bad(error("send-0003"))),
        told(400, bad(error("send-0003")), {"Status": "success", "CustomID": "5", "To": []}, bad(error("mj-0006"))),
    ],
)
def test_where_an_error_may_be_that_of_another_message_nobody_knows(answer: Answer, status: int) -> None:
    replies = MAILJET.replies(replace(answer, status=status), numbered(3), NOW)
    assert replies == [Unknown("not_understood", http_status=status)] * 3


def test_an_item_of_a_failed_call_that_says_nothing_changes_no_other() -> None:
    messages = numbered(3)
    replies = MAILJET.replies(told(400, taken(messages[0]), "?", bad(error("send-0003"))), messages, NOW)
    assert [type(one) for one in replies] == [Accepted, Unknown, Refused]


def test_a_message_is_known_by_our_own_id_and_else_by_its_recipient() -> None:
    to = [{"Email": "someone@else.example", "MessageID": 5}]
    assert reply_to(told(200, taken(WELCOME, To=to))) == Accepted("5", http_status=200)
    ours, another = taken(WELCOME, CustomID=""), taken(WELCOME, CustomID="", To=to)
    assert reply_to(told(200, ours)) == Accepted(str(LARGE + 7), http_status=200)
    assert reply_to(told(200, another)) == WITHOUT_ID
    assert reply_to(told(400, another)) == UNCLEAR


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, b""),
        Answer(200, HTML, b"<h1>OK</h1>"),
        Answer(200, JSON, b'{"Messages": [{"Status": "succ', complete=False),
        json_answer(200, []),
        json_answer(200, {"Messages": {}}),
        told(200),
        told(200, "?", "?"),
        told(200, {"Status": "success"}),
        told(200, {"Status": "queued"}),
        told(200, taken(WELCOME, To=[{"MessageID": True}])),
        told(200, taken(WELCOME, To="x")),
        told(200, taken(WELCOME, CustomID="8")),
    ],
)
def test_a_success_that_cannot_be_understood_was_taken(answer: Answer) -> None:
    assert reply_to(answer) == WITHOUT_ID


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        ({}, None),
        ({"retry_after": "12"}, timedelta(seconds=12)),
        ({"retry_after": "Sun, 01 Mar 2026 09:02:00 GMT"}, timedelta(minutes=2)),
        ({"retry_after": "soon"}, None),
    ],
)
def test_too_many_requests_wait_as_long_as_the_header_says(headers: dict[str, str], after: timedelta | None) -> None:
    later = Later(after, "http_429", throttled=True, http_status=429)
    said = {"StatusCode": 429, "ErrorMessage": "Too many requests"}
    for body in (None, said):
        assert MAILJET.replies(json_answer(429, body, **headers), numbered(2), NOW) == [later, later]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_server_error_proves_nothing_whatever_its_code(status: int) -> None:
    unknown = Unknown(f"http_{status}", http_status=status)
    assert reply_to(Answer(status, HTML, b"<h1>Sorry</h1>")) == unknown
    if status >= 500:
        for answer in (json_answer(status, error("mj-0001")), told(status, bad(error("send-0003")))):
            assert reply_to(answer) == unknown
        assert reply_to(told(status, taken(WELCOME))) == unknown


@pytest.mark.parametrize(
    ("status", "scope"), [(400, "message"), (401, "account"), (403, "account"), (404, "account"), (413, "message")]
)
def test_an_html_error_page_is_classified_by_its_status(status: int, scope: str) -> None:
    for reply in MAILJET.replies(Answer(status, HTML, b"<h1>ada@example.com</h1>"), numbered(2), NOW):
        assert isinstance(reply, Refused)
        assert (reply.reason, reply.scope, reply.detail) == (f"http_{status}", scope, "")


@given(st.integers(100, 599), st.binary(max_size=60), st.booleans(), st.integers(1, 3))
def test_whatever_comes_back_there_is_one_reply_per_message(status: int, body: bytes, whole: bool, count: int) -> None:
    answer = Answer(status, {"content-type": "application/json"}, body, complete=whole)
    assert len(MAILJET.replies(answer, numbered(count), NOW)) == count


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["success", "error", "mj-0013", "0", "To"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Status", "Errors", "To", "CustomID", "ErrorCode", "StatusCode", "ErrorRelatedTo"]), inner
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([200, 400, 403, 429]), st.lists(VALUES, max_size=3), st.integers(1, 3))
def test_whatever_the_messages_say_there_is_one_reply_for_each(status: int, items: list[Any], count: int) -> None:
    assert len(MAILJET.replies(told(status, *items), numbered(count), NOW)) == count


def test_a_loopback_provider_gets_a_well_formed_account() -> None:
    account = account_of("sandbox_email", Provider(kind="mailjet", base_url="http://127.0.0.1:8025/"))
    assert (account.token, account.account) == ("sandbox", "0" * 32)


@pytest.mark.parametrize(
    ("provider", "words"),
    [
        (Provider(kind="mailjet", account=KEY), "AUTOMATION_PROVIDERS__MAIN__TOKEN"),
        (Provider(kind="mailjet", token=SecretStr("x")), r"\[providers.main\] account"),
        (Provider(kind="mailjet", token=SecretStr("x"), account=f"{KEY}:secret"), r"\[providers.main\] account"),
        (Provider(kind="mailjet", token=SecretStr("x"), account="me@example.com"), "write the public API key"),
    ],
)
def test_an_incomplete_account_says_what_is_missing(provider: Provider, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        account_of("main", provider)
