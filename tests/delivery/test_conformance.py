"""What holds for every vendor, whichever it is: a new entry in ADAPTERS is tried here without a word."""

import ast
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, get_args

import httpx
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, Adapter, Signs, account_of, batches, classify
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, Unknown
from automation.errors import BadInput, BadMessage
from automation.settings import Provider
from automation.settings.provider import EmailKind

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TOKEN = "t0ken-that-nobody-may-see"
ELSEWHERE = "http://127.0.0.1:8025/behind"
OWN_ID = 987_654_321
MAIL = Outgoing(
    message_id=OWN_ID,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>",
    text="Hi",
    headers={"List-Unsubscribe": "<https://shop.example/u/x1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tag="welcome",
    kind="marketing",
)
TEXT = replace(
    MAIL,
    channel="sms",
    sender="+15550100",
    recipient="+393331234567",
    subject="",
    html="",
    text="Ciao, è ora & 10 € 🎁",
    headers={},
    validity=timedelta(hours=2),
)
SID = "SM" + "0" * 32
# What each vendor answers when it took one message, and the id in it.
TAKEN: dict[str, tuple[int, Any, str]] = {
    "aws_sms": (200, {"MessageId": "a-1"}, "a-1"),
    "bird": (202, {"id": "sms_1", "status": "accepted"}, "sms_1"),
    "brevo": (201, {"messageId": "<1@brevo>"}, "<1@brevo>"),
    "mailgun": (200, {"id": "<1@mailgun>", "message": "Queued. Thank you."}, "1@mailgun"),
    "mailjet": (
        200,
        {"Messages": [{"Status": "success", "CustomID": str(OWN_ID), "To": [{"MessageID": 1152921511742440156}]}]},
        "1152921511742440156",
    ),
    "mailpit": (200, {"ID": "m-1"}, "m-1"),
    "messagebird": (201, {"id": "m-1", "recipients": {"items": [{"status": "sent"}]}}, "m-1"),
    "plivo": (202, {"message": "message(s) queued", "message_uuid": ["p-1"]}, "p-1"),
    "postmark": (200, {"MessageID": "p-1", "ErrorCode": 0, "Message": "OK"}, "p-1"),
    "resend": (200, {"id": "r-1"}, "r-1"),
    "sendgrid": (202, None, "s-1"),
    "ses": (200, {"MessageId": "s-1"}, "s-1"),
    "sinch": (201, {"id": "s-1"}, "s-1"),
    "telnyx": (200, {"data": {"id": "t-1", "errors": []}}, "t-1"),
    "twilio": (201, {"sid": SID, "status": "queued"}, SID),
    "vonage": (202, {"message_uuid": "v-1"}, "v-1"),
}
JSON, HTML = {"content-type": "application/json"}, {"content-type": "text/html"}
PAGE = b"<!doctype html><h1>Error</h1>"
EVERY = pytest.mark.parametrize("kind", sorted(ADAPTERS))
FIRST: dict[str, Any] = {"settings": settings(phases=[Phase.generate], database=None), "random": Random(7)}  # noqa: S311 (the same each time)
# A refusal of theirs may be one of a single message in a batch: where its words are lost, nobody knows of the others.
BY_ITEM = {"mailjet"}
FOLDER = Path(classify.__file__).parent


def provider_of(kind: str, **changes: Any) -> Provider:
    """Complete: where the vendor wants something, it has something of its form."""
    return Provider.model_validate({"kind": kind, "token": SecretStr(TOKEN), **wanted(kind), **changes})


@cache
def wanted(kind: str) -> dict[str, str]:
    needed = (want for want in ADAPTERS[kind].wants if want.sandbox is not None)
    return {want.name: find(st.from_regex(want.form, fullmatch=True), bool, **FIRST) for want in needed}


def account(kind: str, **changes: Any) -> Account:
    return account_of("shop", provider_of(kind, **changes), "https://shop.example/told")


def is_text(kind: str) -> bool:
    return Provider.model_validate({"kind": kind}).channel == "sms"


def messages_of(kind: str, count: int) -> list[Outgoing]:
    """For so many people; a vendor may refuse the same one twice in a call."""
    message = TEXT if is_text(kind) else MAIL
    if count == 1:
        return [message]
    people = (f"+39333{at:07}" if is_text(kind) else f"ada{at:07}@example.com" for at in range(count))
    return [replace(message, message_id=OWN_ID + at, recipient=one) for at, one in enumerate(people)]


def counts(adapter: Adapter) -> list[int]:
    return sorted({1, min(3, adapter.batch_limit), adapter.batch_limit})


def replies(kind: str, answer: Answer) -> Iterator[Reply]:
    """To a single message and to batches; always one for each message."""
    for count in counts(ADAPTERS[kind]):
        found = ADAPTERS[kind].replies(answer, messages_of(kind, count), NOW)
        assert len(found) == count
        yield from found


def words_of(reply: Reply) -> str:
    """All of it that is written into logs."""
    return f"{getattr(reply, 'reason', '')} {getattr(reply, 'detail', '')}"


def same(one: httpx.Request, other: httpx.Request) -> bool:
    return (one.method, one.url, one.headers.raw, one.content) == (
        other.method,
        other.url,
        other.headers.raw,
        other.content,
    )


@EVERY
@pytest.mark.parametrize("key", [None, "5f3c0a9d5f3c0a9d5f3c0a9d5f3c0a9d5f3c0a9d"])
def test_the_same_input_gives_the_same_bytes(kind: str, key: str | None) -> None:
    for count in counts(ADAPTERS[kind]):
        ours = messages_of(kind, count)
        again = [replace(one, headers=dict(reversed(list(one.headers.items())))) for one in ours]
        first, second = (ADAPTERS[kind].request(these, account(kind), key) for these in (ours, again))
        assert same(first, second)


@pytest.mark.parametrize("kind", sorted(get_args(EmailKind)))
def test_answers_go_where_they_are_wanted(kind: str) -> None:
    for count in counts(ADAPTERS[kind]):
        plain = messages_of(kind, count)
        answered = [replace(one, reply_to="Hilfe Überall <help@shop.example>") for one in plain]
        with_it, without = (ADAPTERS[kind].request(these, account(kind), None) for these in (answered, plain))
        assert with_it.content.count(b"help@shop.example") == count
        assert b"reply" not in without.content.lower()


@EVERY
def test_a_signature_is_made_of_the_moment_and_nothing_else(kind: str) -> None:
    adapter = ADAPTERS[kind]
    if not isinstance(adapter, Signs):
        pytest.skip("its calls are not signed")
    request = adapter.request(messages_of(kind, 1), account(kind), None)
    before = request.headers.raw, request.content
    one, other = (adapter.signed(request, account(kind), NOW) for _ in range(2))
    assert same(one, other)
    assert (one.method, one.url) == (request.method, request.url)
    assert (request.headers.raw, request.content) == before


@EVERY
def test_the_base_url_can_be_replaced(kind: str) -> None:
    for url in (ELSEWHERE, ELSEWHERE + "/"):
        request = ADAPTERS[kind].request(messages_of(kind, 1), account(kind, base_url=url), None)
        assert request.method == "POST"
        assert str(request.url).startswith(ELSEWHERE + "/")
        assert "//" not in request.url.path
        assert request.headers["host"] == "127.0.0.1:8025"


@EVERY
def test_the_region_is_part_of_the_address_where_the_vendor_has_one(kind: str) -> None:
    adapter = ADAPTERS[kind]
    region = wanted(kind).get("region")
    assert ("{region}" in adapter.base_url) == (region is not None)
    assert account(kind).base_url == adapter.base_url.format(region=region)
    url = ADAPTERS[kind].request(messages_of(kind, 1), account(kind), None).url
    assert str(url).startswith(account(kind).base_url + "/")


@EVERY
def test_a_secret_or_a_recipient_is_part_of_no_url(kind: str) -> None:
    request = ADAPTERS[kind].request(messages_of(kind, 1), account(kind, session_token="s3ssion"), None)
    for secret in (TOKEN, "s3ssion", MAIL.recipient, TEXT.recipient.removeprefix("+")):
        assert secret not in str(request.url)
    assert TOKEN not in repr(account(kind))


@EVERY
def test_what_the_vendor_wants_has_its_form_and_is_told(kind: str) -> None:
    for want in ADAPTERS[kind].wants:
        with pytest.raises(BadInput, match=rf"\[providers\.shop\] {want.name}"):
            account(kind, **{want.name: "no such thing\n"})
        if want.sandbox is not None:
            with pytest.raises(BadInput, match=rf"\[providers\.shop\] {want.name}"):
                account(kind, **{want.name: None})


@EVERY
def test_a_token_is_needed_but_for_this_machine(kind: str) -> None:
    assert account(kind, token=None, base_url=ELSEWHERE).token == "sandbox"
    if ADAPTERS[kind].base_url.startswith("https://"):
        with pytest.raises(BadInput, match="AUTOMATION_PROVIDERS__SHOP__TOKEN"):
            account(kind, token=None)


@EVERY
def test_our_own_id_goes_along(kind: str) -> None:
    for count in counts(ADAPTERS[kind]):
        ours = messages_of(kind, count)
        content = ADAPTERS[kind].request(ours, account(kind), None).content.decode()
        assert all(str(one.message_id) in content for one in ours)


@EVERY
def test_an_email_can_be_unsubscribed_from_with_one_click(kind: str) -> None:
    if is_text(kind):
        pytest.skip("it sends texts")
    for count in counts(ADAPTERS[kind]):
        content = ADAPTERS[kind].request(messages_of(kind, count), account(kind), None).content.decode()
        assert content.count("https://shop.example/u/x1") == count
        assert content.count("List-Unsubscribe=One-Click") == count


def test_every_vendor_has_an_example_of_its_success() -> None:
    assert set(ADAPTERS) <= set(TAKEN)


@EVERY
def test_a_success_keeps_the_vendors_id(kind: str) -> None:
    status, body, found = TAKEN[kind]
    answer = (
        Answer(status, {"x-message-id": found}, b"")
        if body is None
        else Answer(status, JSON, json.dumps(body).encode())
    )
    assert ADAPTERS[kind].replies(answer, messages_of(kind, 1), NOW) == [Accepted(found, http_status=status)]


@EVERY
@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("headers", "body", "complete"),
    [
        ({}, b"", True),
        (JSON, b"", True),
        (HTML, PAGE, True),
        (JSON, b'{"id": "a', False),
        (JSON, b'{"id": "a', True),
        (JSON, b"null", True),
        (JSON, b"[]", True),
        (JSON, b"{}", True),
        (JSON, b'"taken"', True),
        (JSON, b"[" * 20_000, True),
        (JSON, b"\xff\xfe", True),
    ],
)
def test_a_success_that_cannot_be_understood_may_have_been_one(
    kind: str, status: int, headers: dict[str, str], body: bytes, complete: bool
) -> None:
    for reply in replies(kind, Answer(status, headers, body, complete=complete)):
        assert isinstance(reply, Accepted | Unknown)
        assert not isinstance(reply, Accepted) or reply.provider_id is None


BODIES = pytest.mark.parametrize(("headers", "body"), [({}, b""), (HTML, PAGE), (JSON, b"{}"), (JSON, b'{"message":')])


@EVERY
@BODIES
def test_too_many_calls_are_for_later(kind: str, headers: dict[str, str], body: bytes) -> None:
    for reply in replies(kind, Answer(429, headers, body)):
        assert isinstance(reply, Later)
        assert reply.throttled


@EVERY
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("told", "after"),
    [
        ("7", timedelta(seconds=7)),
        ("Sun, 01 Mar 2026 09:02:00 GMT", timedelta(minutes=2)),
        ("Sun, 01 Mar 2020 09:00:00 GMT", timedelta(0)),
        ("9" * 30, timedelta(hours=1)),
        ("soon", None),
    ],
)
def test_the_vendors_wish_how_long_to_wait_is_kept(kind: str, status: int, told: str, after: timedelta | None) -> None:
    for reply in replies(kind, Answer(status, {**HTML, "retry-after": told}, PAGE)):
        assert isinstance(reply, Later)
        assert reply.after == after


@EVERY
@BODIES
@pytest.mark.parametrize("status", [401, 403])
def test_bad_credentials_concern_the_account(kind: str, status: int, headers: dict[str, str], body: bytes) -> None:
    answer = Answer(status, headers, body)
    found = ADAPTERS[kind].replies(answer, messages_of(kind, 1), NOW) if kind in BY_ITEM else replies(kind, answer)
    for reply in found:
        assert isinstance(reply, Refused)
        assert (reply.scope, reply.suppress) == ("account", None)


@EVERY
@BODIES
@pytest.mark.parametrize("status", [500, 502, 504])
def test_after_a_server_error_nobody_knows(kind: str, status: int, headers: dict[str, str], body: bytes) -> None:
    assert all(isinstance(reply, Unknown) for reply in replies(kind, Answer(status, headers, body)))


@EVERY
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_followed_by_nobody(kind: str, status: int) -> None:
    for reply in replies(kind, Answer(status, {**HTML, "location": "https://evil.example/"}, PAGE)):
        assert isinstance(reply, Refused)
        assert reply.scope == "account"
        assert "evil" not in words_of(reply)


@EVERY
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_batch_is_never_refused_for_the_sake_of_one(kind: str, status: int) -> None:
    adapter = ADAPTERS[kind]
    for reply in adapter.replies(Answer(status, HTML, PAGE), messages_of(kind, adapter.batch_limit), NOW):
        assert not isinstance(reply, Accepted | Later)
        if isinstance(reply, Refused) and reply.scope != "account":
            assert (reply.scope, reply.suppress, reply.whole_call) == ("message", None, adapter.batch_limit > 1)


TOLD = f"Bad address {MAIL.recipient}, <{MAIL.recipient.upper()}> or {TEXT.recipient} (393331234567)"
STATUSES = (200, 201, 202, 207, 400, 401, 402, 403, 404, 406, 408, 409, 413, 422, 429, 500, 503)


@cache
def constants(kind: str) -> list[Any]:
    """Every text and number that stands in the adapter's file: the names of its fields and its codes among them."""
    files = [FOLDER / f"{kind}.py", *([FOLDER / "aws.py"] if kind in {"aws_sms", "ses"} else [])]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    values = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str | int)}
    return sorted((one for one in values if len(str(one)) < 70), key=repr)


def names(kind: str) -> list[str]:
    return [one for one in constants(kind) if isinstance(one, str) and one.replace("_", "").isalnum()]


@cache
def babble(kind: str) -> st.SearchStrategy[Any]:
    """JSON of the words that the adapter knows, and of an address."""
    leaves = st.sampled_from([TOLD, TOLD, None, True, 400.5, *constants(kind)])
    keys = st.sampled_from(names(kind))
    return st.recursive(
        leaves | st.dictionaries(keys, leaves, max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
        max_leaves=8,
    )


def assert_shows_nobody(reply: Reply) -> None:
    told = words_of(reply).lower()
    assert "ada@" not in told
    assert "39333" not in told
    assert "\n" not in told
    assert len(told) <= 320


@EVERY
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_answered_there_is_a_reply_for_each_that_shows_no_address(kind: str, data: st.DataObject) -> None:
    status, body = data.draw(st.sampled_from(STATUSES)), data.draw(babble(kind))
    headers = {**JSON, "x-amzn-errortype": data.draw(st.sampled_from([TOLD, "", *map(str, constants(kind))]))}
    answer = Answer(status, headers, json.dumps(body).encode())
    for count in (1, min(3, ADAPTERS[kind].batch_limit)):
        found = ADAPTERS[kind].replies(answer, messages_of(kind, count), NOW)
        assert len(found) == count
        for reply in found:
            assert_shows_nobody(reply)


@EVERY
def test_the_vendors_words_show_no_address(kind: str) -> None:
    item = dict.fromkeys(names(kind), TOLD)
    nested = ({**item, name: inner} for name in names(kind) for inner in ([item], item, [TOLD]))
    for body in (item, [item], TOLD, *nested):
        content = json.dumps(body).encode()
        for status in (200, 400, 403, 404, 422, 429, 500):
            for reply in ADAPTERS[kind].replies(Answer(status, JSON, content), messages_of(kind, 1), NOW):
                assert_shows_nobody(reply)


@EVERY
def test_a_call_takes_no_more_than_the_vendor_does(kind: str) -> None:
    adapter = ADAPTERS[kind]
    ours = messages_of(kind, 2 * adapter.batch_limit + 1)
    split = list(batches(adapter, ours, account(kind), 10_000))
    assert [len(one) for one in split] == [adapter.batch_limit, adapter.batch_limit, 1]
    assert [one for batch in split for one in batch] == ours
    assert len(next(batches(adapter, ours, account(kind), 1))) == 1


@EVERY
def test_a_message_takes_no_more_bytes_than_was_said(kind: str) -> None:
    adapter = ADAPTERS[kind]
    one, *more = messages_of(kind, 4)
    long = [replace(each, html=each.html and 'é"\t' * 500, text='é"\t' * 400) for each in (one, *more)]
    for ours in ((one, *more), long):
        if adapter.batch_limit == 1:
            assert len(adapter.request(ours[:1], account(kind), None).content) <= adapter.size(ours[0], account(kind))
        else:
            three, four = (len(adapter.request(ours[:count], account(kind), None).content) for count in (3, 4))
            assert four - three <= adapter.size(ours[3], account(kind))


@EVERY
def test_a_batch_keeps_within_the_vendors_bytes(kind: str) -> None:
    adapter = ADAPTERS[kind]
    if adapter.batch_limit == 1:
        pytest.skip("every message is a call of its own")
    part = "é" * (adapter.batch_bytes // 5)
    large = [replace(one, html=one.html and part, text="" if one.html else part) for one in messages_of(kind, 4)]
    split = list(batches(adapter, large, account(kind), 10_000))
    assert [len(one) for one in split] == [2, 2]
    for batch in split:
        assert len(adapter.request(batch, account(kind), None).content) <= adapter.batch_bytes


@pytest.mark.parametrize("message", [MAIL, TEXT], ids=["email", "sms"])
@pytest.mark.parametrize("breaking", ["\r\nBcc: eve@example.com", "\n", "\r", "\0", "\u2028", "\x85", "\ud83c"])
def test_what_could_break_out_of_its_place_cannot_be_made(message: Outgoing, breaking: str) -> None:
    for name in ("subject", "sender", "recipient", "tag"):
        with pytest.raises(BadMessage):
            Outgoing(**{**vars(message), name: f"{getattr(message, name)}{breaking}"})
    for headers in ({"X-Shop": f"a{breaking}b"}, {f"X-Shop{breaking}": "a"}):
        with pytest.raises(BadMessage):
            replace(message, headers=headers)


CLIENTS = {
    *("aiohttp", "asyncio", "boto3", "botocore", "ftplib", "httpx_aiohttp", "os", "random", "requests", "secrets"),
    *("smtplib", "socket", "sqlalchemy", "subprocess", "time", "urllib3", "http", "urllib.request"),
}
HARMLESS = {"Headers", "QueryParams", "Request", "URL"}
MOMENTS = {"now", "today", "utcnow", "uuid1", "uuid4"}


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [str(node.module)] if isinstance(node, ast.ImportFrom) else []


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_an_adapter_translates_and_never_acts(file: Path) -> None:
    """No row, no connection, no clock, no dice; of httpx nothing but what holds a request."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for name in imported(node):
            assert not {name, name.partition(".")[0]} & CLIENTS, name
            assert name != "httpx" or isinstance(node, ast.Import)
        if isinstance(node, ast.ImportFrom):
            assert not {one.name for one in node.names} & MOMENTS
        if isinstance(node, ast.Attribute):
            assert node.attr not in MOMENTS
            assert not (isinstance(node.value, ast.Name) and node.value.id == "httpx") or node.attr in HARMLESS
