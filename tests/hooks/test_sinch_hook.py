"""Sinch: which calls are genuine, and what they tell."""

import json
from base64 import b64encode
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from signing_texts import TOKEN, sinch, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["sinch"], HookKey(secret=TOKEN)
CALL = HookCall("POST", "https://shop.example/hooks/texts", {}, '{"body": "ż"}\r\n'.encode())
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
SIGNATURE = "x-sinch-webhook-signature"


def told(**body: Any) -> list[Any]:
    return list(HOOK.told(replace(CALL, body=json.dumps(body).encode())))


def report(**fields: Any) -> Any:
    body = {"type": "recipient_delivery_report_sms", "batch_id": "b-1", "recipient": "12015550123"}
    (event,) = told(**{**body, "client_reference": "7", "at": "2026-03-02T10:00:00.000Z", **fields})
    return event


def test_what_is_signed_is_believed_also_when_it_is_repeated_a_day_later() -> None:
    assert HOOK.is_genuine(sinch(CALL), KEY, NOW)
    assert HOOK.is_genuine(sinch(CALL), KEY, NOW + timedelta(days=1))


def test_the_vendors_own_library_accepts_what_is_signed_here_and_is_believed() -> None:
    path = "sinch.domains.authentication.sinch_events.v1.authentication_validation"
    library = pytest.importorskip(path, reason="the vendor's library is not installed")
    call, body = sinch(CALL), CALL.body.decode()
    assert library.validate_sinch_event_signature_with_nonce(TOKEN, call.headers, body)
    assert not library.validate_sinch_event_signature_with_nonce(TOKEN, call.headers, body.strip())
    theirs = library.calculate_sinch_event_signature(library.compute_signed_data(body, "n-2", "5"), TOKEN)
    named = {SIGNATURE: theirs, f"{SIGNATURE}-nonce": "n-2", f"{SIGNATURE}-timestamp": "5"}
    assert HOOK.is_genuine(replace(CALL, headers=named), KEY, NOW)


def test_nothing_else_is_believed() -> None:
    call = sinch(CALL)
    assert not HOOK.is_genuine(replace(call, body=call.body.strip()), KEY, NOW)
    for name in (SIGNATURE, f"{SIGNATURE}-nonce", f"{SIGNATURE}-timestamp"):
        for wrong in ("", "x", "ż", call.headers[name] + "0"):
            assert not HOOK.is_genuine(with_headers(call, **{name: wrong}), KEY, NOW)
        without = {one: value for one, value in call.headers.items() if one != name}
        assert not HOOK.is_genuine(replace(call, headers=without), KEY, NOW)
    for key in (HookKey(), HookKey(token=TOKEN, public=TOKEN), HookKey(secret=TOKEN + "x")):
        assert not HOOK.is_genuine(call, key, NOW)


def test_a_plan_that_does_not_sign_is_believed_by_its_password() -> None:
    password = "Basic " + b64encode(f"sinch:{TOKEN}".encode()).decode()
    assert HOOK.is_genuine(with_headers(CALL, authorization=password), KEY, NOW)
    assert not HOOK.is_genuine(with_headers(CALL, authorization="Basic eDp5"), KEY, NOW)
    assert not HOOK.is_genuine(CALL, KEY, NOW)
    for wrong in ("", "x"):
        signed_wrongly = with_headers(sinch(CALL), authorization=password, **{SIGNATURE: wrong})
        assert not HOOK.is_genuine(signed_wrongly, KEY, NOW)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("QUEUED", 400, "info"),
        ("Dispatched", 401, "info"),
        ("Delivered", 0, "delivered"),
        *((status, 402, "bounced_hard") for status in ("Failed", "REJECTED")),
        *((status, 404, "bounced_soft") for status in ("Failed", "REJECTED")),
        *(("REJECTED", code, "failed") for code in (401, 403, 405, 406, 407, 408)),
        ("Failed", 410, "failed"),
        ("EXPIRED", 406, "bounced_soft"),
        ("Unknown", 0, "bounced_soft"),
        ("ABORTED", 412, "bounced_soft"),
        ("CANCELLED", 0, "failed"),
        ("DELETED", 0, "failed"),
        ("SOMETHING_NEW", 401, "info"),
    ],
)
def test_a_status_is_an_outcome_of_our_message(status: str, code: int, outcome: str) -> None:
    name, detail = status.upper(), f"code {code}" if code else ""
    key = f"b-1:12015550123:{name}"
    assert astuple(report(status=status, code=code)) == (key, outcome, name, AT, 7, "b-1", "+12015550123", detail)


def test_the_same_status_again_has_the_same_key_and_of_another_recipient_has_not() -> None:
    keys = [report(status=status).key for status in ("Queued", "QUEUED", "Delivered")]
    assert keys[0] == keys[1] != keys[2]
    assert report(status="Queued", recipient="12015550124").key != keys[0]


def test_a_report_on_a_whole_batch_changes_nothing() -> None:
    (event,) = told(type="delivery_report_sms", batch_id="b-1", statuses=[{"code": 401, "status": "Failed"}])
    assert (event.key, event.outcome, event.name) == ("b-1::delivery_report_sms", "info", "delivery_report_sms")


def test_a_text_to_us_is_told_to_the_letter() -> None:
    body = {"id": "i-1", "from": "12015550123", "to": "12345", "received_at": "2026-03-02T10:00:00Z"}
    (text,) = told(type="mo_text", body=" Stop\n😀", **body)
    assert text == InboundText("i-1", "+12015550123", "12345", " Stop\n😀", AT)
    assert told(type="mo_binary", body="AAEC", **body) == []
