"""Bird: which calls are genuine, and what they tell."""

import json
import time
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from signing_texts import WEBHOOK_SECRET, standard, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["bird"], HookKey(secret=WEBHOOK_SECRET)
BODY = '{"type": "sms.something_new", "timestamp": "2026-03-02T10:00:00Z", "data": {"text": "ż"}}\r\n'
CALL = HookCall("POST", "https://shop.example/hooks/texts", {}, BODY.encode())
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def told(name: Any, data: Any, key: str = "msg_1") -> list[Any]:
    body = {"type": name, "timestamp": "2026-03-02T10:00:00Z", "data": data}
    return list(HOOK.told(HookCall("POST", CALL.url, {"webhook-id": key}, json.dumps(body).encode())))


def test_what_the_schemes_own_library_signs_is_believed_for_five_minutes() -> None:
    call = standard(CALL)
    assert HOOK.is_genuine(call, KEY, NOW)
    assert HOOK.is_genuine(call, KEY, NOW + timedelta(minutes=5))
    assert not HOOK.is_genuine(call, KEY, NOW + timedelta(minutes=5, seconds=1))


def test_the_vendors_own_library_accepts_what_is_signed_here() -> None:
    library = pytest.importorskip("bird.resources.webhooks", reason="the vendor's library is not installed")
    call = standard(CALL, at=datetime.fromtimestamp(int(time.time()), UTC))
    webhooks = library.Webhooks(None, WEBHOOK_SECRET)
    assert webhooks.unwrap(call.body, call.headers).root.type == "sms.something_new"
    with pytest.raises(library.WebhookVerificationError):
        webhooks.unwrap(call.body.strip(), call.headers)


def test_nothing_else_is_believed() -> None:
    call = standard(CALL)
    assert not HOOK.is_genuine(replace(call, body=call.body.strip()), KEY, NOW)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        for wrong in ("", "x", "ż", "\ud800", call.headers[name] + "0"):
            assert not HOOK.is_genuine(with_headers(call, **{name: wrong}), KEY, NOW)
    for key in (HookKey(), HookKey(secret="whsec_"), HookKey(secret="!"), HookKey(token=WEBHOOK_SECRET)):
        assert not HOOK.is_genuine(call, key, NOW)


@pytest.mark.parametrize(
    ("name", "code", "outcome"),
    [
        ("sms.accepted", None, "info"),
        ("sms.sent", None, "info"),
        ("sms.delivered", None, "delivered"),
        ("sms.expired", None, "bounced_soft"),
        *((name, "invalid_destination", "bounced_hard") for name in ("sms.undelivered", "sms.failed", "sms.rejected")),
        ("sms.failed", "landline_unreachable", "bounced_hard"),
        *(("sms.undelivered", code, "bounced_soft") for code in ("unreachable", "provider_unavailable", "unknown")),
        ("sms.rejected", "recipient_opted_out", "unsubscribed"),
        *(("sms.rejected", code, "failed") for code in ("content_rejected", "insufficient_balance", "something_new")),
        ("sms.failed", None, "failed"),
        ("sms.something_new", "invalid_destination", "info"),
        ("email.bounced", None, "info"),
    ],
)
def test_a_type_is_an_outcome_of_our_message(name: str, code: str | None, outcome: str) -> None:
    error = {"error": {"code": code, "description": "no +12015550123"}} if code else {"error": None}
    data = {"sms_id": "sms_1", "to": "+12015550123", "from": "+12015550100", "metadata": {"mid": "7"}, **error}
    (event,) = told(name, data)
    detail = f"{code} no [number]" if code else ""
    assert astuple(event) == ("msg_1", outcome, name, AT, 7, "sms_1", "+12015550123", detail)


def test_somebody_who_opted_out_there_has_unsubscribed() -> None:
    (event,) = told("sms_suppression.created", {"destination": "+12015550123", "reason": "keyword_stop"})
    expected = ("msg_1", "unsubscribed", "sms_suppression.created", AT, None, None, "+12015550123", "keyword_stop")
    assert astuple(event) == expected


def test_the_same_call_again_has_the_same_key() -> None:
    assert [told("sms.sent", {}, key)[0].key for key in ("msg_1", "msg_1", "msg_2")] == ["msg_1", "msg_1", "msg_2"]
    assert told("sms.sent", {}, "") == []


def test_a_text_to_us_is_told_to_the_letter() -> None:
    (text,) = told("sms.received", {"from": "+12015550123", "to": "+12015550100", "text": " Stop\n😀"})
    assert text == InboundText("msg_1", "+12015550123", "+12015550100", " Stop\n😀", AT)
    assert told("sms.received", {"from": "+12015550123", "to": "+12015550100"}) == []
