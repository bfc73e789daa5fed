"""Vonage's Messages API: which calls are genuine, and what they tell."""

import json
from base64 import urlsafe_b64encode
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from signing_texts import TOKEN, token, vonage, vonage_claims, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["vonage"], HookKey(secret=TOKEN)
CALL = HookCall("POST", "https://shop.example/hooks/texts", {}, b'{"status": "delivered"}\r\n')
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
ERRORS = "https://developer.vonage.com/api-errors/messages#"


def told(**body: Any) -> list[Any]:
    return list(HOOK.told(replace(CALL, body=json.dumps(body).encode())))


def believed(call: HookCall, key: HookKey = KEY, now: datetime = NOW) -> bool:
    return HOOK.is_genuine(call, key, now)


def test_what_is_signed_is_believed_also_when_it_is_repeated_a_day_later() -> None:
    assert believed(vonage(CALL))
    assert believed(vonage(CALL), now=NOW + timedelta(days=2))


def test_the_vendors_own_library_accepts_what_is_signed_here() -> None:
    library = pytest.importorskip("vonage_jwt", reason="the vendor's library is not installed")
    assert library.verify_signature(token(vonage_claims(CALL)), TOKEN)
    assert not library.verify_signature(token(vonage_claims(CALL), secret=TOKEN[::-1]), TOKEN)


def test_only_one_algorithm_is_accepted() -> None:
    for algorithm in ("HS384", "HS512"):
        signed = token(vonage_claims(CALL), algorithm, TOKEN * 2)
        assert not believed(with_headers(CALL, authorization=f"Bearer {signed}"), HookKey(secret=TOKEN * 2))
    _, payload, signature = token(vonage_claims(CALL)).split(".")
    header = urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for unsigned in (f"{header}.{payload}.", f"{header}.{payload}.{signature}"):
        assert not believed(with_headers(CALL, authorization=f"Bearer {unsigned}"))


def test_the_body_must_be_the_one_that_was_hashed() -> None:
    assert not believed(replace(vonage(CALL), body=CALL.body.strip()))
    for wrong in (None, 5, "", sha256(b"").hexdigest()):
        assert not believed(vonage(CALL, payload_hash=wrong))
    without = {name: value for name, value in vonage_claims(CALL).items() if name != "payload_hash"}
    assert not believed(with_headers(CALL, authorization=f"Bearer {token(without)}"))


def test_a_token_that_says_until_when_it_holds_is_taken_at_its_word() -> None:
    at = NOW.timestamp()
    assert believed(vonage(CALL, nbf=at, exp=at + 1))
    for name, wrong in (("exp", at - 61), ("nbf", at + 61), ("exp", "soon"), ("exp", None), ("nbf", [])):
        assert not believed(vonage(CALL, **{name: wrong}))


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer " + "W" * 90_000])
def test_a_garbled_token_is_not_believed(header: str) -> None:
    assert not believed(with_headers(CALL, authorization=header))


def test_a_header_of_nothing_but_brackets_is_not_believed() -> None:
    deep = urlsafe_b64encode(b"[" * 200_001).decode().rstrip("=")
    assert not believed(with_headers(CALL, authorization=f"Bearer {deep}.e30.AAAA"))


def test_without_the_right_secret_nothing_is_believed() -> None:
    assert not believed(vonage(CALL), HookKey())
    assert not believed(vonage(CALL), HookKey(token=TOKEN, public=TOKEN))
    assert not believed(vonage(CALL), HookKey(secret=TOKEN + "x"))


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("submitted", None, "info"),
        ("accepted", None, "info"),
        ("buffered", None, "info"),
        ("delivered", None, "delivered"),
        ("read", None, "opened"),
        ("expired", None, "bounced_soft"),
        ("unknown", None, "bounced_soft"),
        *(("rejected", code, "bounced_hard") for code in ("1170", "1190", "1200", "1250", "1260")),
        *(
            ("undeliverable", code, "bounced_soft")
            for code in ("1000", "1030", "1100", "1180", "1220", "1230", "1330", "1360")
        ),
        ("rejected", "1240", "unsubscribed"),
        ("failed", "1240", "unsubscribed"),
        ("rejected", "1210", "failed"),
        ("rejected", "9999", "failed"),
        ("failed", None, "failed"),
        ("submitted", "1220", "info"),
        ("something_new", "1240", "info"),
    ],
)
def test_a_status_is_an_outcome_of_our_message(status: str, code: str | None, outcome: str) -> None:
    error = {"error": {"type": f"{ERRORS}{code}", "title": 1, "detail": "no 447700900000"}} if code else {}
    body = {"message_uuid": "u-1", "to": "447700900000", "timestamp": "2026-03-02T10:00:00.000Z", "client_ref": "7"}
    (event,) = told(status=status, **body, **error)
    detail = f"{code} no [number]" if code else ""
    assert astuple(event) == (f"u-1:{status}", outcome, status, AT, 7, "u-1", "+447700900000", detail)


def test_the_title_has_the_code_where_the_type_has_none() -> None:
    (event,) = told(message_uuid="u-1", status="rejected", error={"title": 1240})
    assert event.outcome == "unsubscribed"


def test_the_same_status_again_has_the_same_key_and_another_has_not() -> None:
    keys = [told(message_uuid="u-1", status=status)[0].key for status in ("submitted", "submitted", "delivered")]
    assert keys[0] == keys[1] != keys[2]


def test_a_text_to_us_is_told_to_the_letter() -> None:
    body = {"message_uuid": "u-2", "to": "447700900100", "from": "447700900000", "channel": "sms"}
    (text,) = told(**body, text=" Stop\n😀\0\ud800", timestamp="2026-03-02T10:00:00Z")
    assert text == InboundText("u-2", "+447700900000", "+447700900100", " Stop\n😀?", AT)


def test_a_short_code_stays_as_it_is() -> None:
    (text,) = told(message_uuid="u-2", to="12345", text="hi", **{"from": "447700900000"})
    assert (text.recipient, text.happened_at) == ("12345", None)
