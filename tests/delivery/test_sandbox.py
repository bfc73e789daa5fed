import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from loopback import delete, get, post

from automation.delivery.http import Door
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, classify
from automation.delivery.providers.twilio import SANDBOX_SID
from automation.delivery.replies import Accepted, Failure, Later, Refused, Reply, Unknown
from automation.delivery.sandbox import SandboxServer, serve
from automation.errors import BadInput, PortTaken

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
MAIL = Outgoing(
    message_id=1,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Hi <b>Ada</b>",
    html="<h1>Hi</h1><script>alert(1)</script>",
    text="Hi <i>there</i>",
    headers={"List-Unsubscribe": "<https://shop.example/u>"},
    tag="welcome",
    kind="marketing",
)
TEXT = replace(MAIL, channel="sms", sender="+15550100", recipient="+393331234567", headers={}, text="Ciao, è ora")


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(running: SandboxServer) -> SandboxServer:
    delete(running.url + "/faults").raise_for_status()
    delete(running.url + "/api/messages").raise_for_status()
    return running


def account(sandbox: SandboxServer) -> Account:
    return Account(sandbox.url, "sandbox", SANDBOX_SID, callback_url="https://shop.example/twilio")


def send(sandbox: SandboxServer, *messages: Outgoing, kind: str | None = None, seconds: float = 5) -> list[Reply]:
    adapter = ADAPTERS[kind or ("twilio" if messages[0].channel == "sms" else "postmark")]
    request = adapter.request(messages, account(sandbox), None)

    async def once() -> list[Reply]:
        async with Door(concurrency=1) as door:
            heard = await door.post(request, timeout=timedelta(seconds=seconds))
        if isinstance(heard, Failure):
            return classify.each(classify.from_failure(heard), len(messages))
        return adapter.replies(heard, messages, NOW)

    return asyncio.run(once())


def fault(sandbox: SandboxServer, **fields: Any) -> None:
    post(sandbox.url + "/faults", json=fields).raise_for_status()


def taken(sandbox: SandboxServer) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = get(sandbox.url + "/api/messages").json()["messages"]
    return found


def test_a_mail_and_a_text_are_taken_and_logged_with_the_senders_own_ids(sandbox: SandboxServer) -> None:
    (mail,) = send(sandbox, MAIL)
    (text,) = send(sandbox, replace(TEXT, message_id=2))
    first, second = taken(sandbox)
    assert isinstance(mail, Accepted)
    assert isinstance(text, Accepted)
    assert (first["mid"], first["provider_id"], first["recipient"]) == ("1", mail.provider_id, "ada@example.com")
    assert (second["mid"], second["provider_id"], second["text"]) == ("2", text.provider_id, "Ciao, è ora")
    assert first["html"] == MAIL.html


def test_the_same_body_has_the_same_hash_and_another_has_not(sandbox: SandboxServer) -> None:
    for message in (MAIL, MAIL, replace(MAIL, text="Bye")):
        send(sandbox, message)
    one, same, other = (message["body_hash"] for message in taken(sandbox))
    assert one == same != other


def test_five_hundred_messages_are_taken_in_one_call_and_quickly(sandbox: SandboxServer) -> None:
    many = [replace(MAIL, message_id=number, html="<p>Hello</p>" * 300) for number in range(500)]
    start = time.perf_counter()
    replies = send(sandbox, *many)
    assert time.perf_counter() - start < 5
    assert all(isinstance(one, Accepted) and one.provider_id for one in replies)
    assert get(sandbox.url + "/api/messages").json()["count"] == 500


def test_one_bad_recipient_in_a_batch_is_refused_alone(sandbox: SandboxServer) -> None:
    replies = send(sandbox, MAIL, replace(MAIL, recipient="inactive@example.com"), MAIL)
    assert [type(one) for one in replies] == [Accepted, Refused, Accepted]
    assert len(taken(sandbox)) == 2


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+15005550001", "invalid_number"),
        ("+15005550002", "no_route"),
        ("+15005550003", "region_not_enabled"),
        ("+15005550004", "opted_out"),
        ("+15005550009", "not_a_mobile_number"),
    ],
)
def test_twilios_own_test_numbers_are_refused(sandbox: SandboxServer, number: str, reason: str) -> None:
    (reply,) = send(sandbox, replace(TEXT, recipient=number))
    assert isinstance(reply, Refused)
    assert reply.reason == reason
    assert taken(sandbox) == []


@pytest.mark.parametrize("kind", ["postmark", "resend", "twilio"])
@pytest.mark.parametrize(
    ("trouble", "reply", "count"),
    [
        ({"answer": 429, "retry_after": "7"}, Later, 0),
        ({"answer": 503, "retry_after": "7"}, Later, 0),
        ({"answer": 401}, Refused, 0),
        ({"answer": 500}, Unknown, 0),
        ({"answer": 500, "taken": True}, Unknown, 1),
        ({"answer": 502, "body": "<h1>Bad gateway</h1>"}, Unknown, 0),
        ({"answer": 204}, Accepted, 1),
        ({"answer": 200, "body": "<h1>Fine</h1>"}, Accepted, 1),
        ({"cut": "before"}, Unknown, 0),
        ({"cut": "after"}, Unknown, 1),
        ({"cut": "half"}, Accepted, 1),
        ({"hang": 60}, Unknown, 1),
        ({"hang": 60, "taken": False}, Unknown, 0),
        ({"hang": 0.01}, Accepted, 1),
    ],
)
def test_each_fault_does_what_it_says(
    sandbox: SandboxServer, kind: str, trouble: dict[str, Any], reply: type[Reply], count: int
) -> None:
    fault(sandbox, **trouble)
    message = TEXT if kind == "twilio" else MAIL
    (heard,) = send(sandbox, message, kind=kind, seconds=0.4 if trouble.get("hang") == 60 else 5)
    assert isinstance(heard, reply)
    assert len(taken(sandbox)) == count
    assert get(sandbox.url + "/faults").json() == []


def test_a_fault_repeats_and_waits_for_its_own_kind_of_provider(sandbox: SandboxServer) -> None:
    fault(sandbox, answer=429, times=2, kind="twilio")
    assert isinstance(send(sandbox, MAIL)[0], Accepted)
    assert [type(send(sandbox, TEXT)[0]) for _ in range(3)] == [Later, Later, Accepted]


@pytest.mark.parametrize(
    "fields",
    [{}, {"answer": 99}, {"answer": 500, "cut": "half"}, {"cut": "twice"}, {"answer": 500, "retry_after": "1\r\nX: y"}],
)
def test_a_fault_that_makes_no_sense_is_refused(sandbox: SandboxServer, fields: dict[str, Any]) -> None:
    assert post(sandbox.url + "/faults", json=fields).status_code == 422
    assert get(sandbox.url + "/faults").json() == []


def test_faults_can_be_set_and_removed_by_the_form_on_the_page(sandbox: SandboxServer) -> None:
    form = {"kind": "", "answer": "503", "retry_after": "5", "cut": "", "hang": "", "times": "2"}
    assert post(sandbox.url + "/faults", data=form).status_code == 303
    assert get(sandbox.url + "/faults").json() == [{"answer": 503, "retry_after": "5", "times": 2}]
    assert "503" in get(sandbox.url + "/").text
    post(sandbox.url + "/faults/clear")
    assert get(sandbox.url + "/faults").json() == []


def test_a_page_from_elsewhere_can_neither_read_nor_switch(sandbox: SandboxServer) -> None:
    evil = {"Origin": "https://evil.example"}
    assert post(sandbox.url + "/faults", json={"answer": 500}, headers=evil).status_code == 403
    assert delete(sandbox.url + "/api/messages", headers=evil).status_code == 403
    assert get(sandbox.url + "/", headers={"Host": "evil.example"}).status_code == 400


def test_postmarks_search_finds_a_message_by_our_own_id(sandbox: SandboxServer) -> None:
    send(sandbox, *(replace(MAIL, message_id=number) for number in (5, 6, 5)))
    headers = {"X-Postmark-Server-Token": "sandbox", "Accept": "application/json"}
    url = sandbox.url + "/messages/outbound"
    wanted: dict[str, str | int] = {"metadata_mid": "5", "count": 1, "offset": 0}
    assert get(url, params=wanted, headers=headers).json()["TotalCount"] == 0  # in the transactional stream
    found = get(url, params={**wanted, "messagestream": "broadcast"}, headers=headers).json()
    assert found["TotalCount"] == 2
    assert [one["Metadata"] for one in found["Messages"]] == [{"mid": "5"}]
    assert get(url, params={"count": 1}, headers=headers).status_code == 422
    assert get(url, params={"count": 1, "offset": 0}).status_code == 401


def test_twilios_list_finds_the_texts_to_a_number_since_an_instant(sandbox: SandboxServer) -> None:
    send(sandbox, TEXT)
    send(sandbox, replace(TEXT, recipient="+15550123"))
    url = f"{sandbox.url}/2010-04-01/Accounts/{SANDBOX_SID}/Messages.json"
    login = (SANDBOX_SID, "sandbox")
    found = get(url, params={"To": TEXT.recipient, "DateSent>": "2020-01-01"}, auth=login).json()
    assert [one["body"] for one in found["messages"]] == [TEXT.text]
    assert get(url, params={"DateSent>": "2999-01-01T00:00:00Z"}, auth=login).json()["messages"] == []
    first = get(url, params={"PageSize": 1}, auth=login).json()
    second = get(sandbox.url + first["next_page_uri"], auth=login).json()
    assert {first["messages"][0]["to"], second["messages"][0]["to"]} == {TEXT.recipient, "+15550123"}
    assert second["next_page_uri"] is None
    assert get(url, params={"DateSent>": "soon"}, auth=login).status_code == 400
    assert get(url).status_code == 401


def test_the_mailbox_shows_every_word_escaped_and_runs_nothing(sandbox: SandboxServer) -> None:
    send(sandbox, MAIL)
    page = get(sandbox.url + "/")
    assert "Hi &lt;b&gt;Ada" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    link = page.text.partition('href="/messages/')[2].partition('"')[0]
    message = get(f"{sandbox.url}/messages/{link}").text
    assert "Hi &lt;i&gt;there" in message
    assert "<script>" not in message
    assert '<iframe sandbox="allow-popups allow-popups-to-escape-sandbox"' in message
    html = get(f"{sandbox.url}/messages/{link}/html")
    assert html.text == MAIL.html
    assert html.headers["content-security-policy"].startswith(
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'"
    )
    assert get(f"{sandbox.url}/messages/999999999").status_code == 404
    assert get(sandbox.url + "/sandbox.css").headers["content-type"].startswith("text/css")


def test_the_mailbox_turns_its_pages(sandbox: SandboxServer) -> None:
    send(sandbox, *(replace(MAIL, message_id=number, subject=f"Mail {number}.") for number in range(60)))
    first, second = (get(sandbox.url + "/", params={"page": number}).text for number in (1, 2))
    assert "Mail 59." in first
    assert "Mail 9." not in first
    assert "Mail 9." in second
    assert "Older" in first
    assert "Older" not in second


def test_the_messages_can_be_read_on_from_a_number(sandbox: SandboxServer) -> None:
    send(sandbox, *(replace(MAIL, message_id=number) for number in range(3)))
    first = taken(sandbox)[0]["id"]
    rest = get(sandbox.url + "/api/messages", params={"after": first, "limit": 1}).json()
    assert rest["count"] == 3
    assert [one["mid"] for one in rest["messages"]] == ["1"]


def test_a_kept_mailbox_is_there_after_a_restart(tmp_path: Path) -> None:
    keep = tmp_path / "mailbox.db"
    for expected in (1, 2):
        with SandboxServer(keep=keep) as sandbox:
            send(sandbox, MAIL)
            assert len(taken(sandbox)) == expected


def test_a_file_that_is_no_mailbox_is_named(tmp_path: Path) -> None:
    keep = tmp_path / "mailbox.db"
    keep.write_text("not a database " * 100, encoding="utf-8")
    with pytest.raises(BadInput, match=r"mailbox\.db"), SandboxServer(keep=keep):
        pass


def test_nobody_else_can_reach_it() -> None:
    with pytest.raises(BadInput, match=r"127\.0\.0\.1"):
        serve("0.0.0.0", 0)  # noqa: S104 (it must be refused)


def test_a_port_in_use_is_said_so(sandbox: SandboxServer) -> None:
    with pytest.raises(PortTaken), SandboxServer(port=int(sandbox.url.rpartition(":")[2])):
        pass
