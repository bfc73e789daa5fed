"""SendGrid's events: which calls are genuine, and what they tell."""

import json
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from signing_mails import SECRET, URL, base64_of, other_letter, sendgrid_call, sendgrid_key
from vectors import NOW, call_of, key_of, vectors

from automation.delivery.hooks import HOOKS, HookCall, HookKey

HOOK = HOOKS["sendgrid"]
VECTORS = vectors("sendgrid")
BODY = '[{"event": "open", "email": "ää@example.com"}]\r\n'.encode()
SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"
BASE = {
    "email": "ada@example.com",
    "timestamp": 1772445600,
    "sg_event_id": "ev-1",
    "sg_message_id": "abc-_D.recvd-1-0.0",
    "mid": "7",
}


def told(*events: Any) -> list[Any]:
    return list(HOOK.told(HookCall("POST", URL, {}, json.dumps(list(events)).encode())))


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside the repository")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["id"])
def test_what_was_published_is_judged_as_published(vector: dict[str, Any]) -> None:
    assert HOOK.is_genuine(call_of(vector), key_of(vector), NOW) is vector["valid"]


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside the repository")
def test_a_published_batch_tells_all_its_events() -> None:
    batch = next(one for one in VECTORS if one["id"] == "sg-batch-12")
    events: list[Any] = list(HOOK.told(call_of(batch)))
    assert [event.name for event in events] == batch["event"]["kinds"]
    assert [event.key for event in events] == [f"ev{number:04}" for number in range(1, 13)]


def test_sendgrids_own_library_believes_what_is_signed_here_and_so_do_we() -> None:
    library = pytest.importorskip("sendgrid.helpers.eventwebhook", reason="SendGrid's library is not installed")
    call = sendgrid_call(BODY)
    theirs = library.EventWebhook(sendgrid_key().public)
    assert theirs.verify_signature(BODY.decode(), call.headers[SIGNATURE], call.headers[TIMESTAMP])
    assert HOOK.is_genuine(call, sendgrid_key(), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {SIGNATURE: ""},
        {SIGNATURE: "no base64!"},
        {SIGNATURE: "AAAA"},
        {SIGNATURE: "ä"},
        {SIGNATURE: other_letter(sendgrid_call(BODY).headers[SIGNATURE])},
        {TIMESTAMP: ""},
        {TIMESTAMP: "1772445601"},
        {TIMESTAMP: "\ud800"},
    ],
)
def test_a_changed_header_is_not_believed(change: dict[str, str]) -> None:
    call = sendgrid_call(BODY)
    assert HOOK.is_genuine(call, sendgrid_key(), NOW)
    assert not HOOK.is_genuine(replace(call, headers={**call.headers, **change}), sendgrid_key(), NOW)


@pytest.mark.parametrize("body", [b"", BODY.strip(), BODY.replace(b"open", b"click"), b"\xff\xfe"])
def test_a_changed_body_is_not_believed(body: bytes) -> None:
    assert not HOOK.is_genuine(replace(sendgrid_call(BODY), body=body), sendgrid_key(), NOW)


@pytest.mark.parametrize(
    "public",
    [
        None,
        "",
        "no base64!",
        "AAAA",
        base64_of(ec.derive_private_key(7, ec.SECP256R1()).public_key()),
        base64_of(ec.derive_private_key(7, ec.SECP384R1()).public_key()),
        base64_of(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()),
    ],
)
def test_without_the_right_key_nothing_is_genuine(public: str | None) -> None:
    key = HookKey(token=SECRET, secret=SECRET, public=public)
    assert not HOOK.is_genuine(sendgrid_call(BODY), key, NOW)


def test_a_key_may_be_written_over_several_lines() -> None:
    public = sendgrid_key().public or ""
    assert HOOK.is_genuine(sendgrid_call(BODY), HookKey(public=f"{public[:64]}\n{public[64:]}\n"), NOW)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ({"event": "processed"}, "info"),
        ({"event": "deferred", "response": "421 later"}, "info"),
        ({"event": "group_resubscribe"}, "info"),
        ({"event": "account_status_change"}, "info"),
        ({"event": "delivered"}, "delivered"),
        ({"event": "open"}, "opened"),
        ({"event": "click"}, "clicked"),
        ({"event": "spamreport"}, "complained"),
        ({"event": "unsubscribe"}, "unsubscribed"),
        ({"event": "group_unsubscribe"}, "unsubscribed"),
        ({"event": "bounce", "type": "bounce"}, "bounced_hard"),
        ({"event": "bounce", "type": "blocked"}, "bounced_soft"),
        ({"event": "bounce", "type": "something new"}, "bounced_soft"),
        ({"event": "bounce", "type": ["bounce"]}, "bounced_soft"),
        ({"event": "dropped", "reason": "Bounced Address"}, "bounced_hard"),
        ({"event": "dropped", "reason": "Invalid"}, "bounced_hard"),
        ({"event": "dropped", "reason": "Invalid SMTPAPI header"}, "failed"),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, "complained"),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, "unsubscribed"),
        ({"event": "dropped", "reason": "Recipient List over Package Quota"}, "failed"),
        ({"event": "dropped"}, "failed"),
    ],
)
def test_an_event_is_an_outcome_of_our_message(event: dict[str, Any], outcome: str) -> None:
    (found,) = told(BASE | event)
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert astuple(found)[:-1] == ("ev-1", outcome, event["event"], at, 7, "abc-_D", "ada@example.com")


def test_a_reason_names_nobody() -> None:
    (found,) = told(BASE | {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 <ada@example.com>: no such user"})
    assert found.detail == "bounce 550 5.1.1 <[address]>: no such user"


def test_one_bad_event_does_not_lose_the_others() -> None:
    good = BASE | {"event": "open"}
    found = told(None, 7, {}, {"event": "open"}, {"sg_event_id": "ev-2"}, good, [good])
    assert [event.key for event in found] == ["ev-1"]
