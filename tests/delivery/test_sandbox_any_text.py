"""Whatever is posted to the sandbox, each vendor of texts answers it, and takes nothing that it did not understand."""

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from calling import HERE, account, request_of
from hypothesis import given, settings
from hypothesis import strategies as st
from outgoing import NUDGE

from automation.delivery.sandbox.exchange import Post
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.vendors import VENDORS, Vendor
from automation.settings.provider import SmsKind

EVERY = pytest.mark.parametrize("kind", get_args(SmsKind))
NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)
ODD = [
    "",
    " ",
    "+15005550004",
    "9" * 5000,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "http://[",
    "a\nb",
    "ż",
]
LEAVES = st.sampled_from([*ODD, None, True, -1, 0, 10**30, 1.5]) | st.text(max_size=20)
HEADERS = ("authorization", "content-type", "idempotency-key", "x-amz-date", "x-amz-target", "user-agent")


def vendor(kind: str) -> Vendor:
    return next(one for one in VENDORS if one.kind == kind)


@cache
def good(kind: str) -> tuple[dict[str, str], dict[str, Any], dict[str, str]]:
    """Headers, fields and path of a call that is taken."""
    request = request_of(kind, HERE, [NUDGE])
    path = dict.fromkeys(("sid", "auth_id", "service_plan_id"), account(kind, HERE).account or "")
    form = {"To": NUDGE.recipient, "From": NUDGE.sender, "Body": NUDGE.text, "StatusCallback": "https://shop.example"}
    return dict(request.headers), form if kind == "twilio" else json.loads(request.content), path


def values(depth: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(depth, max_size=3) | st.dictionaries(st.sampled_from(["mid", "name", "value"]), depth, max_size=3)


@EVERY
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_fields_of_any_kind_are_answered(kind: str, data: st.DataObject) -> None:
    headers, fields, path = good(kind)
    names = st.sampled_from([*fields, "ValidityPeriod", "expire_at", "send_at", "metadata", "tags", "unheard"])
    leaves = LEAVES if kind == "twilio" else LEAVES | st.recursive(LEAVES, values, max_leaves=5)
    changed = {**fields, **data.draw(st.dictionaries(names, leaves, max_size=3))}
    body = (urlencode(changed) if kind == "twilio" else json.dumps(changed)).encode("utf-8", "surrogatepass")
    for act in vendor(kind).sending.values():
        result = act(Post(headers, path, body, NOW))
        assert 200 <= result.status < 500
        assert bool(result.taken) <= (result.status < 300)
        json.dumps(result.payload)


@EVERY
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_bytes_and_headers_of_any_kind_are_answered(kind: str, data: st.DataObject) -> None:
    headers, fields, path = good(kind)
    odd = data.draw(st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(["", "Basic ż", "Bearer", "Basic eA=="])))
    body = data.draw(st.binary(max_size=50) | st.just(json.dumps(fields).encode()))
    for act in vendor(kind).sending.values():
        assert 200 <= act(Post({**headers, **odd}, path, body, NOW)).status < 500


@pytest.mark.parametrize("kind", ["sinch", "twilio"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_questions_of_any_kind_are_answered(kind: str, data: st.DataObject) -> None:
    headers, _, path = good(kind)
    names = ["page", "page_size", "Page", "PageSize", "start_date", "end_date", "DateSent>", "client_reference", "To"]
    query = data.draw(st.dictionaries(st.sampled_from(names), st.sampled_from([*ODD, "1", "0", "-1"]), max_size=4))
    mailbox = Mailbox(None)
    (ask,) = vendor(kind).searching.values()
    assert ask(mailbox, Post(headers, path, b"", NOW), query).status in {200, 400}
    mailbox.close()
