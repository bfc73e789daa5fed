"""Mailgun's webhooks: which are genuine, and what they tell."""

import json
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from signing_mails import SECRET, mailgun_call
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookKey

HOOK = HOOKS["mailgun"]
KEY = HookKey(secret=SECRET)
BASE: dict[str, Any] = {
    "id": "unique within a day",
    "timestamp": 1772445600.25,
    "recipient": "ada@example.com",
    "message": {"headers": {"message-id": "20260302.1@mg.example.com"}},
    "user-variables": {"mid": "7"},
}
SIGNED: dict[str, Any] = json.loads(mailgun_call(BASE).body)["signature"]


def told(data: Any) -> list[Any]:
    return list(HOOK.told(mailgun_call(data)))


def signed_with(signature: Any) -> bytes:
    return json.dumps({"signature": signature, "event-data": BASE}).encode()


def test_mailguns_own_library_believes_what_is_signed_here_and_so_do_we() -> None:
    library = pytest.importorskip("mailgun.security", reason="Mailgun's library is not installed")
    theirs = library.SecurityGuard.verify_webhook
    assert theirs(SECRET, SIGNED["token"], SIGNED["timestamp"], SIGNED["signature"], max_age_seconds=0)
    assert HOOK.is_genuine(mailgun_call(BASE), KEY, NOW)


def test_a_timestamp_that_is_a_number_is_signed_as_it_is_written() -> None:
    assert HOOK.is_genuine(replace(mailgun_call(BASE), body=signed_with(SIGNED | {"timestamp": 1772445600})), KEY, NOW)


@pytest.mark.parametrize(
    "signature",
    [
        *(None, 7, [], {}),
        *({name: value for name, value in SIGNED.items() if name != missing} for missing in SIGNED),
        SIGNED | {"token": "c0ffef"},
        SIGNED | {"timestamp": "1772445601"},
        SIGNED | {"signature": SIGNED["signature"].upper()},
        SIGNED | {"signature": "ä"},
        SIGNED | {"signature": "\ud800"},
        SIGNED | {"signature": True},
    ],
)
def test_a_changed_signature_is_not_believed(signature: Any) -> None:
    assert not HOOK.is_genuine(replace(mailgun_call(BASE), body=signed_with(signature)), KEY, NOW)


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"signature=x", b"[" * 100_000])
def test_a_body_without_a_signature_is_not_believed(body: bytes) -> None:
    assert not HOOK.is_genuine(replace(mailgun_call(BASE), body=body), KEY, NOW)


@pytest.mark.parametrize("key", [HookKey(), HookKey(secret=""), HookKey(secret="other"), HookKey(token=SECRET)])
def test_without_the_right_secret_nothing_is_genuine(key: HookKey) -> None:
    assert not HOOK.is_genuine(mailgun_call(BASE), key, NOW)


def permanent(reason: str, code: Any = 550) -> dict[str, Any]:
    return {"event": "failed", "severity": "permanent", "reason": reason, "delivery-status": {"code": code}}


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        ({"event": "accepted"}, "info"),
        ({"event": "stored"}, "info"),
        ({"event": "delivered"}, "delivered"),
        ({"event": "opened"}, "opened"),
        ({"event": "clicked"}, "clicked"),
        ({"event": "complained"}, "complained"),
        ({"event": "unsubscribed"}, "unsubscribed"),
        ({"event": "rejected", "reject": {"reason": "Sandbox"}}, "failed"),
        ({"event": "failed", "severity": "temporary", "delivery-status": {"code": 550}}, "info"),
        ({"event": "failed"}, "info"),
        (permanent("suppress-bounce", 605), "bounced_hard"),
        (permanent("suppress-complaint", 607), "complained"),
        (permanent("suppress-unsubscribe", 606), "unsubscribed"),
        (permanent("old"), "bounced_soft"),
        (permanent("generic", 452), "bounced_soft"),
        (permanent("generic", "452"), "bounced_soft"),
        (permanent("bounce"), "bounced_hard"),
        (permanent("generic"), "bounced_hard"),
        (permanent("something new", None), "bounced_hard"),
    ],
)
def test_an_event_is_an_outcome_of_our_message(event: dict[str, Any], outcome: str) -> None:
    (found,) = told(BASE | event)
    at = datetime(2026, 3, 2, 10, 0, 0, 250_000, tzinfo=UTC)
    expected = ("c0ffee", outcome, event["event"], at, 7, "20260302.1@mg.example.com", "ada@example.com")
    assert astuple(found)[:-1] == expected


def test_the_signed_token_is_the_key_so_that_it_tells_only_once() -> None:
    one, forged = mailgun_call(BASE | {"event": "opened"}), mailgun_call(BASE | {"event": "complained"})
    another = mailgun_call(BASE | {"event": "opened"}, token="decaf")
    keys = [event.key for call in (one, forged, another) for event in HOOK.told(call)]
    assert keys == ["c0ffee", "c0ffee", "decaf"]


def test_a_reason_names_nobody() -> None:
    status = {"code": 550, "message": "5.1.1 <ada@example.com>: no such user", "description": ""}
    (found,) = told(BASE | permanent("bounce") | {"delivery-status": status})
    assert found.detail == "bounce 550 5.1.1 <[address]>: no such user"


@pytest.mark.parametrize("data", [None, 7, [], {}, {"event": 7.5}, {"event": ""}, [{"event": "opened"}]])
def test_what_cannot_be_understood_tells_nothing(data: Any) -> None:
    assert told(data) == []


@pytest.mark.parametrize(
    "odd", [{"user-variables": []}, {"message": "x"}, {"delivery-status": 5}, {"timestamp": {}}, {"reason": {}}]
)
def test_odd_parts_do_not_lose_an_event(odd: dict[str, Any]) -> None:
    (found,) = told(BASE | {"event": "failed", "severity": "permanent"} | odd)
    assert found.outcome == "bounced_hard"
