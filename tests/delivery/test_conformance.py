"""What holds for every vendor, whichever it is: a new entry in ADAPTERS is tried here without a word."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from adapting import (
    BY_ITEM,
    ELSEWHERE,
    EVERY,
    HTML,
    JSON,
    MAIL,
    NOW,
    PAGE,
    TAKEN,
    TEXT,
    TOKEN,
    account,
    counts,
    is_text,
    messages_of,
    replies,
    same,
    wanted,
    words_of,
)

from automation.delivery.providers import ADAPTERS, Signs
from automation.delivery.replies import Accepted, Answer, Later, Refused, Unknown
from automation.errors import BadInput
from automation.settings.provider import EmailKind


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
