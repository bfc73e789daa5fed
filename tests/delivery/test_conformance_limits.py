"""What no adapter does, whatever comes: show an address, go beyond the vendor's bytes, act by itself."""

import ast
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from adapting import EVERY, FOLDER, JSON, MAIL, NOW, TEXT, account, messages_of, words_of
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, batches
from automation.delivery.replies import Answer, Reply
from automation.errors import BadMessage

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
