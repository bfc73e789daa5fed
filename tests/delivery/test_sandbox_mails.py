"""What holds for the sandbox whichever vendor of mail it speaks for."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import loopback
import pytest
from calling import MAIL, look_up, mails, posted, request_of, send, taken
from shop import Shop, playbook

from automation.database.engine import connect
from automation.delivery.providers import ADAPTERS, LookUp
from automation.delivery.replies import Accepted, Answer, Refused, Unknown
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.telling.keys import public_keys
from automation.delivery.sandbox.telling.story import MAILS
from automation.delivery.sandbox.vendors import VENDORS
from automation.delivery.sought import Found, NotThere, Sought
from automation.settings.provider import EmailKind

KINDS: tuple[str, ...] = get_args(EmailKind)
EVERY = pytest.mark.parametrize("kind", KINDS)
BATCHING = pytest.mark.parametrize("kind", [kind for kind in KINDS if ADAPTERS[kind].batch_limit > 1])


def test_the_sandbox_speaks_for_every_vendor_of_mail() -> None:
    assert set(KINDS) <= {one.kind for one in VENDORS}


@EVERY
def test_a_mail_is_taken_with_all_of_its_parts(sandbox: SandboxServer, kind: str) -> None:
    (reply,) = send(kind, sandbox.url, MAIL)
    (one,) = taken(sandbox.url)
    assert isinstance(reply, Accepted)
    assert (reply.provider_id, reply.flags) == (one["provider_id"], ())
    parts = (MAIL.sender, MAIL.recipient, MAIL.subject, MAIL.text, MAIL.html)
    assert (one["sender"], one["recipient"], one["subject"], one["text"], one["html"]) == parts
    assert (one["kind"], one["mid"]) == (kind, str(MAIL.message_id))
    assert one["tag"] == MAIL.tag
    kept = json.dumps(json.loads(one["fields"]))
    assert all(text in kept for text in (*MAIL.headers.values(), "help@example.com"))


@EVERY
def test_a_text_alone_is_taken_too(sandbox: SandboxServer, kind: str) -> None:
    (reply,) = send(kind, sandbox.url, replace(MAIL, html=""))
    assert isinstance(reply, Accepted)
    assert taken(sandbox.url)[0]["text"] == MAIL.text


@BATCHING
def test_a_full_batch_is_taken_in_its_order(sandbox: SandboxServer, kind: str) -> None:
    ours = mails(ADAPTERS[kind].batch_limit)
    replies = send(kind, sandbox.url, *ours)
    found = taken(sandbox.url)
    assert [one.provider_id for one in replies if isinstance(one, Accepted)] == [one["provider_id"] for one in found]
    assert [one["mid"] for one in found] == [str(one.message_id) for one in ours]
    assert [one["recipient"] for one in found] == [one.recipient for one in ours]


@BATCHING
def test_a_batch_with_one_too_many_is_refused_as_a_whole(sandbox: SandboxServer, kind: str) -> None:
    replies = send(kind, sandbox.url, *mails(ADAPTERS[kind].batch_limit + 1))
    assert not any(isinstance(one, Accepted) for one in replies)
    assert taken(sandbox.url) == []


NOT_AUTHORIZED = {
    "brevo": (401, "authentication not found"),
    "mailgun": (401, "Forbidden"),
    "mailjet": (401, "authorization failure"),
    "postmark": (401, "tokens"),
    "resend": (401, "Missing API key"),
    "sendgrid": (401, "wrong credentials"),
    "ses": (403, "Missing Authentication Token"),
}


@pytest.mark.parametrize("kind", NOT_AUTHORIZED)
def test_nobody_without_credentials_is_heard(sandbox: SandboxServer, kind: str) -> None:
    request = request_of(kind, sandbox.url, [MAIL])
    for name in ("authorization", "api-key", "x-postmark-server-token"):
        request.headers.pop(name, None)
    heard = posted(request)
    assert isinstance(heard, Answer)
    status, words = NOT_AUTHORIZED[kind]
    assert heard.status == status
    assert words in heard.body.decode()
    (reply,) = ADAPTERS[kind].replies(heard, [MAIL], datetime.now(UTC))
    assert isinstance(reply, Refused)
    assert reply.scope == "account"
    assert taken(sandbox.url) == []


@EVERY
@pytest.mark.parametrize("content_type", ["text/plain", ""])
def test_another_kind_of_content_is_not_read(sandbox: SandboxServer, kind: str, content_type: str) -> None:
    if kind == "ses":
        pytest.skip("it is in the signature")
    request = request_of(kind, sandbox.url, [MAIL])
    request.headers["content-type"] = content_type
    heard = posted(request)
    assert isinstance(heard, Answer)
    assert 400 <= heard.status < 500
    assert taken(sandbox.url) == []


@EVERY
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe"])
def test_what_is_no_message_is_refused(sandbox: SandboxServer, kind: str, body: bytes) -> None:
    request = request_of(kind, sandbox.url, [MAIL])
    headers = {name: value for name, value in request.headers.items() if name.lower() != "content-length"}
    heard = posted(type(request)("POST", request.url, headers=headers, content=body))
    assert isinstance(heard, Answer)
    assert 400 <= heard.status < 500
    assert taken(sandbox.url) == []


@EVERY
@pytest.mark.parametrize("recipient", ["ada@nowhere", "ada@.example"])
def test_an_address_that_is_none_is_refused(sandbox: SandboxServer, kind: str, recipient: str) -> None:
    if kind == "postmark":
        pytest.skip("it takes any domain")
    (reply,) = send(kind, sandbox.url, replace(MAIL, recipient=recipient))
    assert isinstance(reply, Refused)
    assert reply.scope in {"recipient", "message"}
    assert taken(sandbox.url) == []


@pytest.mark.parametrize("kind", ["mailgun", "mailjet", "sendgrid"])
def test_where_the_vendor_says_so_the_recipient_is_what_is_wrong(sandbox: SandboxServer, kind: str) -> None:
    (reply,) = send(kind, sandbox.url, replace(MAIL, recipient="ada@nowhere"))
    assert isinstance(reply, Refused)
    assert (reply.scope, reply.suppress) == ("recipient", "bounced_hard")


LOOKING = pytest.mark.parametrize("kind", [kind for kind in KINDS if isinstance(ADAPTERS[kind], LookUp)])


@LOOKING
def test_what_was_taken_is_found_again_and_nothing_else(sandbox: SandboxServer, kind: str) -> None:
    send(kind, sandbox.url, *mails(1))
    now = datetime.now(UTC)
    ours = Sought(1, "marketing", "ada0@example.com", "", now - timedelta(minutes=1), now)
    assert look_up(kind, sandbox.url, ours) == Found(taken(sandbox.url)[0]["provider_id"])
    for other in (replace(ours, message_id=2), replace(ours, recipient="bob@example.com")):
        assert look_up(kind, sandbox.url, other) == NotThere()


def test_the_page_offers_every_vendor_and_tells_whose_fate_is_certain(sandbox: SandboxServer) -> None:
    page = loopback.get(sandbox.url).text
    assert all(f"<option>{one.kind}</option>" in page for one in VENDORS)
    assert all(f"<code>{name}@</code>" in page for name in MAILS)
    assert all(f"<dd>{key}</dd>" in page for key in public_keys().values())


@EVERY
@pytest.mark.parametrize(("answer", "reply"), [(401, Refused), (500, Unknown)])
def test_a_fault_has_the_vendors_own_body(sandbox: SandboxServer, kind: str, answer: int, reply: type) -> None:
    fault = {"kind": kind, "answer": answer}
    loopback.post(f"{sandbox.url}/faults", json=fault).raise_for_status()
    assert isinstance(send(kind, sandbox.url, MAIL)[0], reply)
    assert taken(sandbox.url) == []


@EVERY
def test_a_shop_with_this_provider_sends_its_whole_day(
    tmp_path: Path, sqlite_url: str, sandbox: SandboxServer, kind: str
) -> None:
    shop = Shop(tmp_path, connect(sqlite_url), sandbox.url, kind=kind)
    shop.write(care=playbook())
    shop.customers("ada", "bob", "eve")
    shop.evaluate("2026-03-02T05:00:00Z")
    shop.send("2026-03-02T11:00:00Z")
    assert [status for _, _, status, _ in shop.statuses()] == ["sent"] * 3
    assert {row.provider_id for row in shop.rows()} == {one["provider_id"] for one in shop.log()}
    assert {str(row.message_id) for row in shop.rows()} == {one["mid"] for one in shop.log()}
    shop.database.close()
