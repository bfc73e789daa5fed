"""The sandbox as Resend: what it refuses, and what an idempotency key is worth."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback import delete, get, post

from automation.delivery.http import Door
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account
from automation.delivery.replies import Accepted, Answer, Failure, Later, Refused, Reply, Unknown
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.exchange import Post
from automation.delivery.sandbox.keys import Keys
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.vendors import resend

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
RESEND = ADAPTERS["resend"]
HEADERS = {"Authorization": "Bearer sandbox", "Content-Type": "application/json", "User-Agent": "tests"}
PLAIN = {"from": "hello@example.com", "to": "ada@example.com", "subject": "Hi", "text": "Hi"}
MAIL = Outgoing(
    message_id=1,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>",
    text="Hi there",
    headers={"List-Unsubscribe": "<https://shop.example/u>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tag="win-back",
    kind="marketing",
)
TWO = (MAIL, replace(MAIL, message_id=2, recipient="bob@example.com"))


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    delete(running.url + "/faults").raise_for_status()
    delete(running.url + "/api/messages").raise_for_status()
    return running


async def ask(sandbox: SandboxServer, *messages: Outgoing, key: str | None, seconds: float = 5) -> Answer | Failure:
    request = RESEND.request(messages, Account(sandbox.url, "sandbox"), key)
    async with Door(concurrency=1) as door:
        return await door.post(request, timeout=timedelta(seconds=seconds))


def send(sandbox: SandboxServer, *messages: Outgoing, key: str | None = None) -> list[Reply]:
    heard = asyncio.run(ask(sandbox, *messages, key=key))
    assert isinstance(heard, Answer)
    return RESEND.replies(heard, messages, NOW)


async def until_handled(sandbox: SandboxServer, *messages: Outgoing, key: str) -> list[Reply]:
    """The replies to a repeated call, asked again as long as the first one is under way."""
    while True:
        heard = await ask(sandbox, *messages, key=key)
        assert isinstance(heard, Answer)
        replies = RESEND.replies(heard, messages, NOW)
        if not isinstance(replies[0], Later):
            return replies
        await asyncio.sleep(0.01)


def fault(sandbox: SandboxServer, **fields: Any) -> None:
    post(sandbox.url + "/faults", json=fields).raise_for_status()


def taken(sandbox: SandboxServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(sandbox.url + "/api/messages").json()["messages"]
    return found


def wait_until_taken(sandbox: SandboxServer) -> None:
    while not taken(sandbox):
        pass


def ids(replies: list[Reply]) -> list[str | None]:
    assert all(isinstance(one, Accepted) for one in replies)
    return [one.provider_id for one in replies if isinstance(one, Accepted)]


def raw(sandbox: SandboxServer, mail: Any, path: str = "/emails", **headers: str) -> tuple[int, str]:
    answer = post(sandbox.url + path, content=json.dumps(mail), headers=HEADERS | headers)
    return answer.status_code, answer.json().get("name", "")


def test_a_mail_is_taken_and_shown_like_any_other(sandbox: SandboxServer) -> None:
    (provider_id,) = ids(send(sandbox, MAIL))
    (one,) = taken(sandbox)
    assert (one["kind"], one["mid"], one["tag"], one["provider_id"]) == ("resend", "1", "win-back", provider_id)
    assert (one["recipient"], one["html"], one["text"]) == (MAIL.recipient, MAIL.html, MAIL.text)
    assert json.loads(one["fields"])["headers"] == MAIL.headers
    assert MAIL.subject in get(sandbox.url + "/").text


def test_the_largest_batch_is_taken_whole_and_in_order(sandbox: SandboxServer) -> None:
    many = [replace(MAIL, message_id=number) for number in range(100)]
    replies = send(sandbox, *many)
    assert ids(replies) == [one["provider_id"] for one in taken(sandbox)]
    assert [one["mid"] for one in taken(sandbox)] == [str(number) for number in range(100)]


def test_one_bad_recipient_refuses_its_whole_batch_and_each_of_the_others_can_go_alone(sandbox: SandboxServer) -> None:
    bad = replace(MAIL, message_id=3, recipient="eve@nowhere")
    for reply in send(sandbox, *TWO, bad, key="all"):
        assert isinstance(reply, Refused)
        assert reply.whole_call
    assert taken(sandbox) == []
    replies = [send(sandbox, one, key=f"alone-{one.message_id}")[0] for one in (*TWO, bad)]
    assert [type(one) for one in replies] == [Accepted, Accepted, Refused]
    assert [one["mid"] for one in taken(sandbox)] == ["1", "2"]


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"from": None}, (400, "validation_error")),
        ({"from": "Shop"}, (422, "invalid_from_address")),
        ({"to": "ada@nowhere"}, (400, "validation_error")),
        ({"to": []}, (400, "validation_error")),
        ({"to": ["ada@example.com", "bob@example.com"]}, (400, "validation_error")),
        ({"to": "ada@example.com, bob@example.com"}, (400, "validation_error")),
        ({"subject": 5}, (400, "validation_error")),
        ({"subject": "Hi\r\nBcc: eve@example.com"}, (400, "validation_error")),
        ({"headers": {"X-A": "b\nc"}}, (400, "validation_error")),
        ({"headers": [{"name": "X-A", "value": "b"}]}, (400, "validation_error")),
        ({"tags": [{"name": "tag", "value": "two words"}]}, (400, "validation_error")),
        ({"tags": [{"name": "tag", "value": "x" * 257}]}, (400, "validation_error")),
        ({"tags": {"tag": "welcome"}}, (400, "validation_error")),
        ({"Surprise": "x"}, (400, "validation_error")),
        ({"text": ""}, (422, "missing_required_field")),
    ],
)
def test_a_mail_that_breaks_the_contract_is_refused_alone_and_in_a_batch(
    sandbox: SandboxServer, change: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert raw(sandbox, PLAIN | change) == answer
    assert raw(sandbox, [PLAIN, PLAIN | change], "/emails/batch") == answer
    assert taken(sandbox) == []


@pytest.mark.parametrize("missing", ["from", "to", "subject", "text"])
def test_a_field_that_is_missing_is_said_so(sandbox: SandboxServer, missing: str) -> None:
    mail = {name: text for name, text in PLAIN.items() if name != missing}
    assert raw(sandbox, mail) == (422, "missing_required_field")


def test_one_recipient_may_stand_alone_or_in_a_list(sandbox: SandboxServer) -> None:
    assert raw(sandbox, PLAIN) == (200, "")
    assert raw(sandbox, PLAIN | {"to": ["Ada <ada@example.com>"]}) == (200, "")
    assert [one["recipient"] for one in taken(sandbox)] == ["ada@example.com"] * 2


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_of_another_size_is_refused(sandbox: SandboxServer, count: int) -> None:
    assert raw(sandbox, [PLAIN] * count, "/emails/batch") == (400, "validation_error")


@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        ({"Authorization": ""}, (401, "missing_api_key")),
        ({"Authorization": "Bearer"}, (401, "missing_api_key")),
        ({"Authorization": "Basic YTpi"}, (401, "missing_api_key")),
        ({"User-Agent": ""}, (403, "validation_error")),
        ({"Content-Type": "text/plain"}, (400, "validation_error")),
        ({"Idempotency-Key": ""}, (400, "invalid_idempotency_key")),
        ({"Idempotency-Key": "x" * 257}, (400, "invalid_idempotency_key")),
        ({"x-batch-validation": "permissive"}, (400, "validation_error")),
    ],
)
def test_headers_are_required(sandbox: SandboxServer, headers: dict[str, str], answer: tuple[int, str]) -> None:
    assert raw(sandbox, PLAIN, **headers) == answer
    assert taken(sandbox) == []


@pytest.mark.parametrize("messages", [TWO[:1], TWO], ids=["single", "batch"])
def test_the_same_key_with_the_same_body_gives_the_first_answer_again_and_takes_nothing_twice(
    sandbox: SandboxServer, messages: tuple[Outgoing, ...]
) -> None:
    first, again = (send(sandbox, *messages, key="k") for _ in range(2))
    assert ids(first) == ids(again) == [one["provider_id"] for one in taken(sandbox)]


def test_without_a_key_or_with_another_one_the_same_body_is_taken_again(sandbox: SandboxServer) -> None:
    for key in (None, None, "a", "b"):
        assert isinstance(send(sandbox, MAIL, key=key)[0], Accepted)
    assert len(taken(sandbox)) == 4


def test_the_same_key_with_another_body_tells_nothing_and_takes_nothing(sandbox: SandboxServer) -> None:
    send(sandbox, MAIL, key="k")
    (reply,) = send(sandbox, replace(MAIL, text="Changed"), key="k")
    assert reply == Unknown("invalid_idempotent_request", http_status=409)
    assert len(taken(sandbox)) == 1


def test_nobody_without_a_token_learns_what_was_answered_under_a_key(sandbox: SandboxServer) -> None:
    raw(sandbox, PLAIN, **{"Idempotency-Key": "k"})
    assert raw(sandbox, PLAIN, **{"Idempotency-Key": "k", "Authorization": ""}) == (401, "missing_api_key")


@pytest.mark.parametrize("messages", [TWO[:1], TWO], ids=["single", "batch"])
@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        ({"cut": "after"}, 5),
        ({"cut": "half"}, 5),
        ({"hang": 60}, 0.4),
        ({"answer": 500, "taken": True}, 5),
        ({"answer": 204}, 5),
    ],
)
def test_a_call_that_was_taken_but_not_answered_gets_its_first_answer_when_repeated(
    sandbox: SandboxServer, messages: tuple[Outgoing, ...], trouble: dict[str, Any], seconds: float
) -> None:
    fault(sandbox, **trouble, kind="resend")

    async def twice() -> list[Reply]:
        await ask(sandbox, *messages, key="k", seconds=seconds)
        return await until_handled(sandbox, *messages, key="k")

    replies = asyncio.run(twice())
    assert ids(replies) == [one["provider_id"] for one in taken(sandbox)]
    assert len(taken(sandbox)) == len(messages)


@pytest.mark.parametrize("trouble", [{"cut": "before"}, {"answer": 429}, {"answer": 500}])
def test_a_call_that_was_not_taken_leaves_its_key_free_even_for_another_body(
    sandbox: SandboxServer, trouble: dict[str, Any]
) -> None:
    fault(sandbox, **trouble)
    asyncio.run(ask(sandbox, MAIL, key="k"))
    assert taken(sandbox) == []
    assert isinstance(send(sandbox, replace(MAIL, text="Changed"), key="k")[0], Accepted)


def test_a_repeated_call_can_meet_trouble_too(sandbox: SandboxServer) -> None:
    first = send(sandbox, MAIL, key="k")
    fault(sandbox, answer=429)
    assert isinstance(send(sandbox, MAIL, key="k")[0], Later)
    assert ids(send(sandbox, MAIL, key="k")) == ids(first)
    assert len(taken(sandbox)) == 1


def test_while_the_first_call_is_under_way_its_key_is_answered_with_a_conflict(sandbox: SandboxServer) -> None:
    fault(sandbox, hang=60)

    async def meanwhile() -> tuple[list[Answer | Failure], list[Reply]]:
        first = asyncio.create_task(ask(sandbox, MAIL, key="k", seconds=60))
        await asyncio.to_thread(wait_until_taken, sandbox)
        heard = [await ask(sandbox, one, key="k") for one in (MAIL, replace(MAIL, text="Changed"))]
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return heard, await until_handled(sandbox, MAIL, key="k")

    heard, replies = asyncio.run(meanwhile())
    names = [json.loads(one.body)["name"] for one in heard if isinstance(one, Answer) and one.status == 409]
    assert names == ["concurrent_idempotent_requests", "invalid_idempotent_request"]
    assert ids(replies) == [one["provider_id"] for one in taken(sandbox)]


def test_a_kept_mailbox_remembers_its_keys_after_a_restart(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with SandboxServer(keep=tmp_path / "mailbox.db") as sandbox:
            found.append(ids(send(sandbox, MAIL, key="k")))
            assert len(taken(sandbox)) == 1
    assert found[0] == found[1]


def test_a_key_is_forgotten_after_a_day() -> None:
    mailbox = Mailbox(None)
    keys = Keys(mailbox)
    headers = {name.lower(): value for name, value in HEADERS.items()} | {"idempotency-key": "k"}

    def asked(after: timedelta) -> bool:
        """Whether the call counts as the first one under its key."""
        call = Post(headers, {}, json.dumps(PLAIN).encode(), NOW + after)
        result = keys.recall(resend.VENDOR, call, resend.single(call))
        with keys.handling(resend.VENDOR, call, result) as answered:
            if result.taken:
                mailbox.take(result.taken, answered)
        assert result not in (resend.KEYS.concurrent, resend.KEYS.other_body)
        return bool(result.taken)

    second, day = timedelta(seconds=1), timedelta(hours=24)
    assert [asked(after) for after in (0 * day, day - second, day, day)] == [True, False, True, False]
    mailbox.close()


def test_an_emptied_mailbox_has_forgotten_its_keys_too(sandbox: SandboxServer) -> None:
    send(sandbox, MAIL, key="k")
    delete(sandbox.url + "/api/messages").raise_for_status()
    send(sandbox, MAIL, key="k")
    assert len(taken(sandbox)) == 1
