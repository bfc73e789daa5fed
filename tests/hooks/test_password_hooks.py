"""Brevo and Mailjet sign nothing: a password decides who is believed. What they tell."""

import json
from base64 import b64encode
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import pytest
from signing_mails import URL
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
BREVO = {
    "id": 26224,
    "email": "ada@example.com",
    "message-id": "<202603021000.1@smtp-relay.mailin.fr>",
    "ts_epoch": 1772445600000,
    "X-Mailin-custom": "7",
}
MAILJET = {
    "time": 1772445600,
    "MessageID": 9007199254740993,
    "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
    "email": "ada@example.com",
    "CustomID": "7",
}


def told(kind: str, body: Any) -> list[Any]:
    return list(HOOKS[kind].told(HookCall("POST", URL, {}, json.dumps(body).encode())))


def basic(pair: bytes) -> str:
    return "Basic " + b64encode(pair).decode()


@pytest.mark.parametrize("kind", ["brevo", "mailjet"])
@pytest.mark.parametrize(
    ("header", "believed"),
    [
        (basic(b"anybody:s3cret"), True),
        (basic(b":s3cret"), True),
        ("Bearer s3cret", True),
        ("bearer  s3cret", True),
        (basic(b"s3cret"), False),
        (basic(b"s3cret:"), False),
        (basic(b"anybody:other"), False),
        (basic(b"anybody:\xff\xfe"), False),
        ("Basic no base64", False),
        ("Bearer other", False),
        ("Bearer \ud800", False),
        ("Bearer", False),
        ("s3cret", False),
        ("", False),
    ],
)
def test_the_password_alone_decides(kind: str, header: str, believed: bool) -> None:
    call = HookCall("POST", URL, {"authorization": header}, b"{}")
    assert HOOKS[kind].is_genuine(call, HookKey(secret="s3cret"), NOW) is believed
    for key in (HookKey(), HookKey(secret=""), HookKey(token="s3cret", public="s3cret")):
        assert not HOOKS[kind].is_genuine(call, key, NOW)
    assert not HOOKS[kind].is_genuine(HookCall("POST", URL, {}, b"{}"), HookKey(secret="s3cret"), NOW)


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("request", "info"),
        ("sent", "info"),
        ("deferred", "info"),
        ("list_addition", "info"),
        ("something_new", "info"),
        ("delivered", "delivered"),
        ("click", "clicked"),
        ("unsubscribe", "unsubscribed"),
        ("unsubscribed", "unsubscribed"),
        ("opened", "opened"),
        ("unique_opened", "opened"),
        ("proxy_open", "opened"),
        ("unique_proxy_open", "opened"),
        ("hard_bounce", "bounced_hard"),
        ("invalid_email", "bounced_hard"),
        ("soft_bounce", "bounced_soft"),
        ("spam", "complained"),
        ("complaint", "complained"),
        ("blocked", "failed"),
        ("error", "failed"),
    ],
)
def test_what_brevo_tells_is_an_outcome_of_our_message(name: str, outcome: str) -> None:
    (event,) = told("brevo", BREVO | {"event": name, "reason": "550 no such user ada@example.com"})
    expected = (outcome, name, AT, 7, BREVO["message-id"], "ada@example.com", "550 no such user [address]")
    assert astuple(event)[1:] == expected


BOUNCE, BLOCKED = {"event": "bounce"}, {"event": "blocked"}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"event": "sent"}, "delivered"),
        ({"event": "open"}, "opened"),
        ({"event": "click", "url": "https://shop.example/"}, "clicked"),
        ({"event": "unsub"}, "unsubscribed"),
        ({"event": "spam", "source": "JMRPP"}, "complained"),
        ({"event": "something_new"}, "info"),
        (BOUNCE | {"hard_bounce": True, "error": "user unknown"}, "bounced_hard"),
        (BOUNCE | {"hard_bounce": False, "error": "quota exceeded"}, "bounced_soft"),
        (BOUNCE | {"hard_bounce": False, "error": "greylisted"}, "info"),
        (BOUNCE, "bounced_soft"),
        (BLOCKED | {"error": "duplicate in campaign"}, "info"),
        (BLOCKED | {"error": "Spam Reporter"}, "complained"),
        (BLOCKED | {"error": "user unknown"}, "bounced_hard"),
        (BLOCKED | {"error": "invalid domain"}, "bounced_hard"),
        (BLOCKED | {"error": "typofix"}, "bounced_hard"),
        (BLOCKED | {"error": "preblocked"}, "bounced_hard"),
        (BLOCKED | {"error": "blacklisted"}, "bounced_hard"),
        (BLOCKED | {"error": "sender blocked"}, "failed"),
        (BLOCKED | {"error": {}}, "failed"),
        (BLOCKED, "failed"),
    ],
)
def test_what_mailjet_tells_is_an_outcome_of_our_message(body: dict[str, Any], outcome: str) -> None:
    (event,) = told("mailjet", MAILJET | body)
    expected = (outcome, body["event"], AT, 7, "9007199254740993", "ada@example.com")
    assert astuple(event)[1:-1] == expected


def test_a_reason_names_nobody() -> None:
    smtp = {"event": "sent", "smtp_reply": "sent (250 OK ada@example.com)"}
    (event,) = told("mailjet", MAILJET | smtp)
    assert event.detail == "sent (250 OK [address])"


@pytest.mark.parametrize(
    ("kind", "base", "others"),
    [
        (
            "brevo",
            BREVO,
            {"message-id": "<2>", "event": "opened", "email": "bob@example.com", "ts_epoch": 1, "link": "b"},
        ),
        ("mailjet", MAILJET, {"MessageID": 9007199254740992, "event": "open", "time": 1, "url": "b"}),
    ],
)
def test_a_repeat_has_the_same_key_and_any_other_event_has_not(
    kind: str, base: dict[str, Any], others: dict[str, Any]
) -> None:
    one = base | {"event": "click", "link": "a", "url": "a"}
    repeat = dict(reversed((one | {"added": "since"}).items()))
    bodies = [one, *(one | {name: value} for name, value in others.items())]
    keys = [told(kind, body)[0].key for body in bodies]
    assert told(kind, repeat)[0].key == keys[0]
    assert len(set(keys)) == len(bodies)
    assert all(len(key) == 64 for key in keys)


def test_two_who_unsubscribe_outside_of_a_message_are_two() -> None:
    bodies = [{"event": "unsub", "time": 1, "MessageID": 0, "email": f"{who}@example.com"} for who in ("ada", "bob")]
    events = told("mailjet", bodies)
    assert len({event.key for event in events}) == 2
    assert [event.outcome for event in events] == ["unsubscribed", "unsubscribed"]


@pytest.mark.parametrize(("kind", "base"), [("brevo", BREVO), ("mailjet", MAILJET)])
def test_one_bad_event_does_not_lose_the_others(kind: str, base: dict[str, Any]) -> None:
    good = base | {"event": "click"}
    assert len(told(kind, good)) == 1
    assert [event.name for event in told(kind, [None, 7, {}, {"event": "click"}, base, good, [good]])] == ["click"]
