"""Telnyx: which calls are genuine, and what they tell."""

import json
import time
from base64 import b64decode, b64encode
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from signing_texts import PUBLIC, telnyx, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["telnyx"], HookKey(public=PUBLIC)
CALL = HookCall("POST", "https://shop.example/hooks/texts?mid=8", {}, '{"data": "ż"}\r\n'.encode())
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def told(name: str, payload: Any, **data: Any) -> list[Any]:
    body = {
        "data": {"id": "e-1", "event_type": name, "occurred_at": "2026-03-02T10:00:00Z", "payload": payload, **data}
    }
    return list(HOOK.told(replace(CALL, body=json.dumps(body).encode())))


def finalized(status: str, *errors: dict[str, str]) -> list[Any]:
    to = [{"phone_number": "+12015550123", "status": status}]
    return told("message.finalized", {"id": "m-1", "to": to, "tags": ["welcome", "mid=7"], "errors": errors})


def test_what_is_signed_is_believed_for_five_minutes() -> None:
    call = telnyx(CALL)
    assert HOOK.is_genuine(call, KEY, NOW)
    assert HOOK.is_genuine(call, HookKey(public=f" {PUBLIC}\n"), NOW + timedelta(minutes=5))
    for late in (timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)):
        assert not HOOK.is_genuine(call, KEY, NOW + late)


def test_the_vendors_own_library_accepts_what_is_signed_here() -> None:
    pytest.importorskip("nacl", reason="the vendor's library checks nothing without PyNaCl")
    library = pytest.importorskip("telnyx.lib.webhook_verification", reason="the vendor's library is not installed")
    call = telnyx(CALL, datetime.fromtimestamp(int(time.time()), UTC))
    library.verify_webhook_signature(call.body, call.headers, PUBLIC)
    with pytest.raises(library.WebhookVerificationError):
        library.verify_webhook_signature(call.body + b" ", call.headers, PUBLIC)


def test_what_the_library_beneath_the_vendors_own_signs_is_believed() -> None:
    signing = pytest.importorskip("nacl.signing", reason="PyNaCl is not installed")
    key = signing.SigningKey(bytes(range(32, 64)))
    stamp = str(int(NOW.timestamp()))
    signature = b64encode(key.sign(stamp.encode() + b"|" + CALL.body).signature).decode()
    call = with_headers(CALL, telnyx_timestamp=stamp, telnyx_signature_ed25519=signature)
    assert HOOK.is_genuine(call, HookKey(public=b64encode(bytes(key.verify_key)).decode()), NOW)


def test_nothing_else_is_believed() -> None:
    call = telnyx(CALL)
    signature = call.headers["telnyx-signature-ed25519"]
    changed = b64encode(bytes([b64decode(signature)[0] ^ 1]) + b64decode(signature)[1:]).decode()
    for wrong in ("", "x", "!" * 88, signature[:-4], changed, b64encode(b"short").decode(), "ż"):
        assert not HOOK.is_genuine(with_headers(call, telnyx_signature_ed25519=wrong), KEY, NOW)
    for wrong in ("", "x", "-1", "1e9", "9" * 30, "١٢٣", str(int(NOW.timestamp()) + 1)):
        assert not HOOK.is_genuine(with_headers(call, telnyx_timestamp=wrong), KEY, NOW)
    assert not HOOK.is_genuine(replace(call, body=call.body.strip()), KEY, NOW)
    for key in (HookKey(), HookKey(public="x"), HookKey(public="AAAA"), HookKey(token=PUBLIC, secret=PUBLIC)):
        assert not HOOK.is_genuine(call, key, NOW)


@pytest.mark.parametrize(
    ("status", "code", "title", "outcome"),
    [
        ("delivered", "", "", "delivered"),
        ("delivery_unconfirmed", "", "", "info"),
        ("sent", "", "", "info"),
        *(("delivery_failed", code, "", "bounced_hard") for code in ("40001", "40008", "40012")),
        *(("sending_failed", code, "", "bounced_soft") for code in ("40004", "40005", "40006")),
        ("expired", "40005", "Message expired", "bounced_soft"),
        ("expired", "", "", "failed"),
        ("sending_failed", "40300", "Blocked due to STOP message", "unsubscribed"),
        ("delivery_failed", "40300", "Recipient opted out", "unsubscribed"),
        ("delivery_failed", "40300", "", "unsubscribed"),
        ("delivery_failed", "40300", "Destination number unreachable", "failed"),
        ("delivery_failed", "40002", "Blocked as spam", "failed"),
    ],
)
def test_a_final_status_is_an_outcome_of_our_message(status: str, code: str, title: str, outcome: str) -> None:
    (event,) = finalized(status, *([{"code": code, "title": title, "detail": "of +12015550123"}] if code else []))
    name = f"message.finalized:{status}"
    expected = ("e-1", outcome, name, AT, 7, "m-1", "+12015550123", f"{code} {title}".strip())
    assert astuple(event) == expected


def test_of_several_errors_the_first_that_is_known_decides() -> None:
    (event,) = finalized("delivery_failed", {"code": "1"}, {"code": "40012"}, {"code": "40004"})
    assert (event.outcome, event.detail) == ("bounced_hard", "1; 40012; 40004")


@pytest.mark.parametrize("name", ["message.sent", "message.something_new", "call.hangup"])
def test_other_events_change_nothing(name: str) -> None:
    (event,) = told(name, {"id": "m-1", "to": [{"status": "delivery_failed"}], "errors": [{"code": "40012"}]})
    assert (event.outcome, event.name) == ("info", name)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"tags": ["mid=9007199254740993"]}, 9007199254740993),
        ({"webhook_url": "https://shop.example/hooks?mid=7"}, 7),
        ({"tags": ["mid=x"], "webhook_url": "https://shop.example/hooks?mid=7"}, None),
        ({"tags": "mid=7", "webhook_url": 5}, None),
        ({}, None),
    ],
)
def test_our_own_id_is_read_from_what_is_signed_and_not_from_the_address(
    payload: dict[str, Any], expected: int | None
) -> None:
    (event,) = told("message.sent", payload)
    assert event.message_id == expected


def test_the_same_event_again_has_the_same_key() -> None:
    assert told("message.sent", {})[0].key == told("message.sent", {}, attempt=2)[0].key
    assert told("message.sent", {}, id="e-2")[0].key == "e-2"


@pytest.mark.parametrize(("kind", "word"), [("STOP", "stop"), ("START", "start"), ("HELP", "help"), (None, None)])
def test_a_text_to_us_is_told_to_the_letter(kind: str | None, word: Any) -> None:
    payload = {
        "from": {"phone_number": "+12015550123"},
        "to": [{"phone_number": "+12015550100"}],
        "text": " Stop\n😀",
        "autoresponse_type": kind,
    }
    (text,) = told("message.received", payload)
    assert text == InboundText("e-1", "+12015550123", "+12015550100", " Stop\n😀", AT, word)
