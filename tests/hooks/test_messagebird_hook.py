"""MessageBird: which calls are genuine, and what they tell."""

import time
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from signing_texts import TOKEN, messagebird, messagebird_claims, token, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["messagebird"], HookKey(secret=TOKEN)
URL = "https://shop.example/hooks/texts"
CALL = HookCall("GET", f"{URL}?id=m-1&reference=7&status=sent&recipient=31612345678", {}, b"")
POSTED = HookCall("POST", f"{URL}?a=1", {}, '{"id": "ż"}\r\n'.encode())
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def told(**fields: str) -> list[Any]:
    return list(HOOK.told(replace(CALL, url=f"{URL}?{urlencode(fields)}")))


def believed(call: HookCall, key: HookKey = KEY, now: datetime = NOW) -> bool:
    return HOOK.is_genuine(call, key, now)


@pytest.mark.parametrize("call", [CALL, POSTED])
def test_what_is_signed_is_believed_while_its_token_holds(call: HookCall) -> None:
    assert believed(messagebird(call))
    assert believed(messagebird(call), now=NOW + timedelta(seconds=119))
    assert not believed(messagebird(call), now=NOW + timedelta(minutes=2))
    assert not believed(messagebird(call), now=NOW - timedelta(seconds=61))


@pytest.mark.parametrize("call", [CALL, POSTED])
def test_the_vendors_own_library_accepts_what_is_signed_here(call: HookCall) -> None:
    library = pytest.importorskip("messagebird.request_validator", reason="the vendor's library is not installed")
    at = int(time.time())
    claims = {**messagebird_claims(call), "nbf": at, "exp": at + 60}
    validator = library.RequestValidator(TOKEN)
    assert validator.validate_signature(token(claims), call.url, call.body)["iss"] == "MessageBird"
    with pytest.raises(library.ValidationError):
        validator.validate_signature(token(claims), call.url + "0", call.body)


@pytest.mark.parametrize("call", [CALL, POSTED])
def test_nothing_else_is_believed(call: HookCall) -> None:
    genuine = messagebird(call)
    assert not believed(replace(genuine, url=genuine.url + "0"))
    assert not believed(replace(genuine, url=genuine.url.replace("https", "http")))
    assert not believed(replace(genuine, body=genuine.body + b" "))
    assert not believed(call)
    for wrong in ("", "x", "a.b.c", "ż", genuine.headers["messagebird-signature-jwt"] + "x"):
        assert not believed(with_headers(call, messagebird_signature_jwt=wrong))
    for key in (HookKey(), HookKey(token=TOKEN, public=TOKEN), HookKey(secret=TOKEN + "x")):
        assert not believed(genuine, key)


@pytest.mark.parametrize("call", [CALL, POSTED])
def test_every_claim_must_be_there_and_right(call: HookCall) -> None:
    for claims in ({"iss": "Somebody"}, {"url_hash": "0" * 64}, {"payload_hash": "0" * 64}, {"exp": "x"}):
        assert not believed(messagebird(call, **claims))
    claims = messagebird_claims(call)
    for name in claims.keys() - {"jti"}:
        kept = {one: value for one, value in claims.items() if one != name}
        assert not believed(with_headers(call, messagebird_signature_jwt=token(kept)))
    stronger = token(claims, "HS512", TOKEN * 2)
    assert not believed(with_headers(call, messagebird_signature_jwt=stronger), HookKey(secret=TOKEN * 2))


def test_a_body_that_is_gone_was_not_the_one_that_was_signed() -> None:
    assert not believed(replace(messagebird(POSTED), body=b""))


@pytest.mark.parametrize(
    ("status", "reason", "outcome"),
    [
        ("scheduled", "", "info"),
        ("buffered", "", "info"),
        ("sent", "", "info"),
        ("delivered", "successfully delivered", "delivered"),
        ("expired", "", "bounced_soft"),
        ("delivery_failed", "unknown subscriber", "bounced_hard"),
        ("delivery_failed", "unavailable subscriber", "bounced_soft"),
        ("delivery_failed", "opted out", "unsubscribed"),
        ("delivery_failed", "carrier rejected", "failed"),
        ("delivery_failed", "", "bounced_hard"),
        ("something_new", "opted out", "info"),
    ],
)
def test_a_status_is_an_outcome_of_our_message(status: str, reason: str, outcome: str) -> None:
    fields = {"id": "m-1", "reference": "7", "recipient": "31612345678", "statusErrorCode": "5"}
    (event,) = told(status=status, statusReason=reason, statusDatetime="2026-03-02T10:00:00+00:00", **fields)
    detail = f"{reason} 5".strip()
    assert astuple(event) == (f"m-1:31612345678:{status}", outcome, status, AT, 7, "m-1", "+31612345678", detail)


CODES = [("1", "bounced_hard"), ("5", "bounced_hard"), ("27", "bounced_soft"), ("34", "failed"), ("", "failed")]


@pytest.mark.parametrize(("code", "outcome"), CODES)
def test_without_a_reason_the_code_decides(code: str, outcome: str) -> None:
    (event,) = told(status="delivery_failed", id="m-1", recipient="31612345678", statusErrorCode=code)
    assert event.outcome == outcome


def test_a_plus_sign_that_the_query_made_a_blank_is_one_again() -> None:
    (event,) = HOOK.told(replace(CALL, url=f"{CALL.url}&statusDatetime=2026-03-02T11:00:00+01:00"))
    assert event.happened_at == AT


def test_the_same_status_again_has_the_same_key_and_another_has_not() -> None:
    keys = [told(id="m-1", recipient="1", status=status)[0].key for status in ("sent", "sent", "delivered")]
    assert keys[0] == keys[1] != keys[2]
    assert told(id="m-1", recipient="2", status="sent")[0].key != keys[0]


@pytest.mark.parametrize("posted", ["query", "form", "json"])
def test_a_text_to_us_is_told_to_the_letter(posted: str) -> None:
    query = "id=m-2&originator=31612345678&recipient=31612345600&body=+Stop%0A&createdDatetime=2026-03-02T10:00:00Z"
    body = (
        b'{"id": "m-2", "originator": "31612345678", "recipient": "31612345600", "body": " Stop\\n",'
        b' "createdDatetime": "2026-03-02T10:00:00Z"}'
    )
    call = {
        "query": replace(CALL, url=f"{URL}?{query}"),
        "form": replace(POSTED, body=query.encode()),
        "json": replace(POSTED, body=body),
    }[posted]
    assert list(HOOK.told(call)) == [InboundText("m-2", "+31612345678", "+31612345600", " Stop\n", AT)]
