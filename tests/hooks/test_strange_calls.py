"""Anybody can call a public address with anything: it is not believed, tells what it can and breaks nothing."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from signing_texts import PUBLIC, TOKEN, WEBHOOK_SECRET
from vectors import NOW

from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey, InboundText
from automation.delivery.hooks.reading import moment_of, number_of, own_id, query_of, same, words_of

KIND = st.sampled_from(sorted(HOOKS))
KEYS = (HookKey(TOKEN, TOKEN, PUBLIC), HookKey(secret=WEBHOOK_SECRET))
NAMES = (
    *("authorization", "content-type", "messagebird-signature-jwt", "telnyx-signature-ed25519", "telnyx-timestamp"),
    *("webhook-id", "webhook-timestamp", "webhook-signature", "svix-id", "x-twilio-signature"),
    *("x-plivo-signature-v3", "x-plivo-signature-v3-nonce", "x-sinch-webhook-signature"),
    *("x-sinch-webhook-signature-nonce", "x-sinch-webhook-signature-timestamp"),
)
ANY_TEXT = st.text(st.characters())  # halves of characters too
HEADERS = st.dictionaries(
    st.sampled_from(NAMES), ANY_TEXT | st.sampled_from(["1772449200", "Bearer a.b.c", "Basic YTpi"])
)
URLS = st.builds("https://shop.example/hooks?{}".format, st.text())
# What the vendors' bodies are made of, in every wrong place.
FIELDS = (
    "id type event_type data payload status to from text body error errors code title tags reference metadata mid "
    "message_uuid batch_id recipient client_reference client_ref at timestamp occurred_at received_at phone_number "
    "webhook_url sms_id originator statusDatetime detail destination"
)
VALUES = (
    "mo_text message.received message.finalized sms.received sms.failed rejected Failed delivery_failed 40300 "
    "0001-01-01T00:00:00+14:00 9999-12-31T23:59:59-14:00 https://[ mid=7"
)
FIELD, WORDS = st.sampled_from(FIELDS.split()), ANY_TEXT | st.sampled_from(VALUES.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | WORDS
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELD, inner), max_leaves=20)


def judged(kind: str, call: HookCall) -> None:
    assert not any(HOOKS[kind].is_genuine(call, key, NOW) for key in (*KEYS, HookKey()))
    for one in HOOKS[kind].told(call):
        assert isinstance(one, Event | InboundText)
        json.dumps([one.key, one.recipient, getattr(one, "text", "")], ensure_ascii=False).encode()


@given(KIND, st.sampled_from(["GET", "POST"]), URLS, HEADERS, st.binary())
def test_any_bytes_are_not_believed_and_break_nothing(
    kind: str, method: str, url: str, headers: dict[str, str], body: bytes
) -> None:
    judged(kind, HookCall(method, url, headers, body))


@given(KIND, HEADERS, JSON)
def test_any_json_is_not_believed_and_breaks_nothing(kind: str, headers: dict[str, str], body: Any) -> None:
    judged(kind, HookCall("POST", "https://shop.example/hooks", headers, json.dumps(body).encode()))


@pytest.mark.parametrize("kind", sorted(HOOKS))
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[" * 100_000, b"\xff\xfe", b'{"id": ' + b"9" * 5000 + b"}", b"<html>"]
)
def test_a_body_that_is_no_object_tells_nothing(kind: str, body: bytes) -> None:
    assert list(HOOKS[kind].told(HookCall("POST", "https://shop.example/hooks", {"webhook-id": "msg_1"}, body))) == []


def test_an_id_beyond_what_floating_point_numbers_hold_stays_exact() -> None:
    body = b'{"message_uuid": 9007199254740993, "status": "delivered", "client_ref": 9007199254740995}'
    (event,) = HOOKS["vonage"].told(HookCall("POST", "https://shop.example/hooks", {}, body))
    assert isinstance(event, Event)
    assert (event.provider_id, event.message_id) == ("9007199254740993", 9007199254740995)


@pytest.mark.parametrize(
    ("given", "number"),
    [
        ("447700900000", "+447700900000"),
        ("+447700900000", "+447700900000"),
        (447700900000, "+447700900000"),
        ("12345", "12345"),
        ("ACME", "ACME"),
        ("0447700900000", "0447700900000"),
        ("٤٤٧٧٠٠٩٠٠٠٠٠", "٤٤٧٧٠٠٩٠٠٠٠٠"),
        ("", None),
        (None, None),
    ],
)
def test_a_number_without_its_plus_sign_has_it_again(given: Any, number: str | None) -> None:
    assert number_of(given) == number


def test_what_cannot_be_read_is_nothing() -> None:
    assert moment_of("0001-01-01T00:00:00+14:00") is None
    assert moment_of("2026-03-02T11:00:00+01:00") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (own_id(True), own_id("٧"), own_id(7.0)) == (None, None, None)
    assert (words_of(5), words_of("a\0b")) == (None, "ab")
    assert query_of(HookCall("GET", "https://[?mid=7#x", {}, b"")) == {"mid": "7"}
    assert same("\ud800", "\ud800")
