"""Whatever is posted to the sandbox, each vendor of mail answers it, and takes nothing that it did not understand."""

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args

import pytest
from calling import HERE, MAIL, request_of
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.vendors import VENDORS, Vendor
from automation.settings.provider import EmailKind

EVERY = pytest.mark.parametrize("kind", get_args(EmailKind))
IN_JSON = pytest.mark.parametrize("kind", [kind for kind in get_args(EmailKind) if kind != "mailgun"])
NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)
DOMAIN = {"domain": "sandbox.example"}
NUMBERS = ("9" * 400, "9" * 15, "9" * 20, "nan", "inf", "-1", "0", "1", "1e30", "0001-01-01", "9999-12-31T23:59:59-14")
ODD = ("", " ", "a\nb", "ż <ada@>", "ada@example.com,", "\ud800", "\0", *NUMBERS)
LEAVES = st.sampled_from([*ODD, None, True, -1, 10**30, 1.5, [], {}, [None], {"": ""}]) | st.text(max_size=20)
HEADERS = ("authorization", "content-type", "api-key", "idempotency-key", "x-amz-date", "x-postmark-server-token")
SAID = ("", "ż", "Basic ż", "Bearer", "Basic eA==", "multipart/form-data", "multipart/form-data; boundary=x")
ASKED = ("begin", "end", "limit", "ascending", "recipient", "CustomID", "FromTS", "Limit", "Offset", "count", "offset")


def vendor(kind: str) -> Vendor:
    return next(one for one in VENDORS if one.kind == kind)


@cache
def good(kind: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of a call that is taken."""
    request = request_of(kind, HERE, [MAIL])
    return {**dict(request.headers), "user-agent": "shop"}, request.content


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to everything in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inside:
        yield (*way, name)
        yield from places(part, (*way, name))


def changed(body: Any, way: tuple[Any, ...], value: Any) -> Any:
    found = place = deepcopy(body)
    for name in way[:-1]:
        place = place[name]
    place[way[-1]] = value
    return found


def assert_answered(result: Result) -> None:
    assert 200 <= result.status < 500
    assert not result.taken or result.status < 300 or "Messages" in result.payload  # Mailjet's others
    assert all(isinstance(part, str) and part.encode() is not None for one in result.taken for part in one)
    json.dumps(result.payload)


@IN_JSON
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_parts_of_any_kind_are_answered(kind: str, data: st.DataObject) -> None:
    headers, content = good(kind)
    body = json.loads(content)
    body = changed(body, data.draw(st.sampled_from(list(places(body)))), data.draw(LEAVES))
    for act in vendor(kind).sending.values():
        assert_answered(act(Post(headers, DOMAIN, json.dumps(body).encode(), NOW)))


@EVERY
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bytes_and_headers_of_any_kind_are_answered(kind: str, data: st.DataObject) -> None:
    headers, content = good(kind)
    odd = data.draw(st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(SAID)))
    at = data.draw(st.integers(0, len(content)))
    body = content[:at] + data.draw(st.binary(max_size=20)) + content[data.draw(st.integers(at, len(content))) :]
    for act in vendor(kind).sending.values():
        assert_answered(act(Post({**headers, **odd}, DOMAIN, body, NOW)))


@pytest.mark.parametrize("kind", ["mailgun", "mailjet", "postmark"])
@settings(max_examples=150, deadline=None)
@given(query=st.dictionaries(st.sampled_from(ASKED), st.sampled_from(NUMBERS) | st.text(max_size=5), max_size=4))
def test_questions_of_any_kind_are_answered(kind: str, query: dict[str, str]) -> None:
    headers, _ = good(kind)
    mailbox = Mailbox(None)
    for act in vendor(kind).searching.values():
        assert 200 <= act(mailbox, Post(headers, DOMAIN, b"", NOW), query).status < 500
    mailbox.close()
