"""What holds for the sandbox whichever vendor of texts it speaks for."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import get_args

import loopback
import pytest
from calling import look_up, posted, request_of, send, taken
from outgoing import NUDGE
from shop import Shop, playbook, step

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS
from automation.delivery.replies import Accepted, Answer, Later, Refused, Unknown
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.vendors import VENDORS, aws_sms
from automation.delivery.sought import Found, NotThere, Sought
from automation.settings.provider import SmsKind

KINDS: tuple[str, ...] = get_args(SmsKind)
EVERY = pytest.mark.parametrize("kind", KINDS)
TEXT = replace(NUDGE, message_id=987_654_321, validity=timedelta(hours=2))
# They have no field for the name of the playbook.
TAGLESS = {"messagebird", "plivo", "sinch", "twilio", "vonage"}


def numbered(count: int) -> list[Outgoing]:
    return [replace(TEXT, message_id=1 + at, recipient=f"+3933312{at:05}") for at in range(count)]


def test_the_sandbox_speaks_for_every_vendor_of_texts() -> None:
    assert set(KINDS) <= {one.kind for one in VENDORS}


@EVERY
def test_a_text_is_taken_with_all_of_its_parts(sandbox: SandboxServer, kind: str) -> None:
    (reply,) = send(kind, sandbox.url, TEXT)
    (one,) = taken(sandbox.url)
    assert isinstance(reply, Accepted)
    assert (reply.provider_id, reply.flags) == (one["provider_id"], ())
    assert (one["kind"], one["mid"], one["recipient"], one["text"]) == (kind, "987654321", TEXT.recipient, TEXT.text)
    assert one["sender"] in {TEXT.sender, TEXT.sender.removeprefix("+")}
    assert one["tag"] == ("" if kind in TAGLESS else TEXT.tag)
    assert json.loads(one["fields"])


@EVERY
def test_a_sender_of_letters_is_a_sender(sandbox: SandboxServer, kind: str) -> None:
    (reply,) = send(kind, sandbox.url, replace(TEXT, sender="Shop"))
    assert isinstance(reply, Accepted)
    assert taken(sandbox.url)[0]["sender"] == "Shop"


@EVERY
def test_a_fault_looks_as_one_of_the_vendors_own(sandbox: SandboxServer, kind: str) -> None:
    for status, reply in ((401, Refused), (429, Later), (500, Unknown), (503, Unknown)):
        loopback.post(f"{sandbox.url}/faults", json={"kind": kind, "answer": status}).raise_for_status()
        (heard,) = send(kind, sandbox.url, TEXT)
        assert isinstance(heard, reply)
    assert taken(sandbox.url) == []


def test_a_full_batch_is_taken_in_its_order_and_one_too_many_is_not(sandbox: SandboxServer) -> None:
    replies = send("bird", sandbox.url, *numbered(100))
    found = taken(sandbox.url)
    assert [one.provider_id for one in replies if isinstance(one, Accepted)] == [one["provider_id"] for one in found]
    assert [one["mid"] for one in found] == [str(at) for at in range(1, 101)]
    assert not any(isinstance(one, Accepted) for one in send("bird", sandbox.url, *numbered(101)))
    assert len(taken(sandbox.url)) == 100


def test_one_bad_number_refuses_its_whole_batch(sandbox: SandboxServer) -> None:
    for reply in send("bird", sandbox.url, *numbered(2), replace(TEXT, recipient="+15005550001")):
        assert isinstance(reply, Refused)
        assert reply.whole_call
    assert taken(sandbox.url) == []


def test_a_repeated_call_has_the_first_answer_and_is_taken_once(sandbox: SandboxServer) -> None:
    first, again = (send("bird", sandbox.url, *numbered(3), key="k") for _ in range(2))
    assert first == again
    assert [one.provider_id for one in first if isinstance(one, Accepted)] == [
        one["provider_id"] for one in taken(sandbox.url)
    ]
    heard = posted(request_of("bird", sandbox.url, numbered(2), "k"))
    assert isinstance(heard, Answer)
    assert (heard.status, json.loads(heard.body)["error"]["type"]) == (409, "conflict_error")
    assert len(taken(sandbox.url)) == 3


def test_sinch_finds_a_text_by_our_own_id(sandbox: SandboxServer) -> None:
    since = datetime.now(UTC)
    (reply,) = send("sinch", sandbox.url, TEXT)
    assert isinstance(reply, Accepted)
    sought = Sought(TEXT.message_id, "marketing", TEXT.recipient, TEXT.text, since, since + timedelta(seconds=9))
    assert look_up("sinch", sandbox.url, sought) == Found(str(reply.provider_id))
    assert look_up("sinch", sandbox.url, replace(sought, message_id=5)) == NotThere()
    assert look_up("sinch", sandbox.url, replace(sought, since=since + timedelta(days=1))) == NotThere()


def test_sinch_lists_what_it_took_in_pages(sandbox: SandboxServer) -> None:
    for one in numbered(3):
        send("sinch", sandbox.url, one)

    def page(**query: str) -> tuple[int, list[str]]:
        url, headers = f"{sandbox.url}/xms/v1/sandbox/batches", {"Authorization": "Bearer sandbox"}
        answer = loopback.get(url, params=query, headers=headers)
        return answer.status_code, [one["client_reference"] for one in answer.json().get("batches", [])]

    assert page() == (200, ["3", "2", "1"])
    assert page(page_size="2", page="1") == (200, ["1"])
    assert page(end_date="2020-01-01") == (200, [])
    for wrong in ({"page_size": "101"}, {"page": "x"}, {"start_date": "soon"}):
        assert page(**wrong) == (400, [])
    assert loopback.get(f"{sandbox.url}/xms/v1/sandbox/batches").status_code == 401


@EVERY
def test_a_shop_sends_a_whole_day_with_it(shop: Shop, kind: str) -> None:
    shop.text_kind = kind
    shop.write(care=playbook(step("one", "hello/text", "sms")))
    people = [f"p{number}" for number in range(7)]
    for number, one in enumerate(people):
        shop.customers(one, phone=f"+1201555010{number}")
    shop.evaluate("2026-03-02T08:00:00Z")
    shop.send("2026-03-02T11:00:00Z")
    assert shop.statuses() == [(one, "one", "sent", None) for one in people]
    assert len({one["provider_id"] for one in shop.log()}) == len(people)
    assert {one["recipient"] for one in shop.log()} == {f"+1201555010{number}" for number in range(7)}
    calls = loopback.get(f"{shop.url}/api/requests").json()[f"{kind} send"]
    assert calls == (1 if ADAPTERS[kind].batch_limit > 1 else len(people))


def test_birds_own_library_understands_the_answers(sandbox: SandboxServer) -> None:
    library = pytest.importorskip("bird._generated", reason="the vendor's library is not installed")
    for count, form in ((1, library.SMSMessage), (3, library.SMSMessageBatchResponse)):
        heard = posted(request_of("bird", sandbox.url, numbered(count)))
        assert isinstance(heard, Answer)
        form.model_validate_json(heard.body)


def test_telnyxs_own_library_understands_the_answer(sandbox: SandboxServer) -> None:
    library = pytest.importorskip("telnyx.types", reason="the vendor's library is not installed")
    heard = posted(request_of("telnyx", sandbox.url, [TEXT]))
    assert isinstance(heard, Answer)
    library.MessageSendResponse.model_validate_json(heard.body, strict=False)


def test_amazons_own_description_of_the_call_is_kept_to() -> None:
    botocore = pytest.importorskip("botocore", reason="the vendor's library is not installed")
    session = pytest.importorskip("botocore.session").get_session()
    call = session.get_service_model("pinpoint-sms-voice-v2").operation_model("SendTextMessage")
    known = {field.alias for field in aws_sms.Message.model_fields.values()}
    assert known == set(call.input_shape.members), botocore.__version__
