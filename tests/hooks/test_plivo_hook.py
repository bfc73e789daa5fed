"""Plivo: which calls are genuine, and what they tell."""

import hmac
from base64 import b64encode
from dataclasses import astuple, replace
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from signing_texts import TOKEN, with_headers
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK, KEY = HOOKS["plivo"], HookKey(token=TOKEN)
URL = "https://shop.example/hooks/texts"
FORM = {"content-type": "application/x-www-form-urlencoded"}
NONCE = "12345678901234567890"
CALLS = [
    HookCall("POST", URL, FORM, b"MessageUUID=u-1&Status=sent&To=12015550123&ErrorCode="),
    HookCall("POST", f"{URL}?mid=7&b=2&a=x%20y&a=1", FORM, b"To=1&From=2&Text=hi+there%0A"),
    HookCall("POST", f"{URL}?mid=7", {}, b"Text=za%C5%BC%C3%B3%C5%82%C4%87+%F0%9F%98%80&To=1"),
    HookCall("POST", f"{URL}?mid=7", FORM, b""),
    HookCall("POST", URL, FORM, b""),
    HookCall("GET", f"{URL}?mid=7&Status=sent&MessageUUID=u-1&ErrorCode=", {}, b""),
    HookCall("GET", URL, {}, b""),
    HookCall("POST", "https://shop.example:8443/hooks?z=1&a=%26%3D", FORM, b"b=2&a=%3D%26&b=1"),
]
# What is signed, in the vendor's words: https://docs.plivo.com/docs/messaging/concepts/signature-validation
SIGNED = "https://shop.example/hooks/texts?a=1&a=x y&b=2&mid=7.From2Texthi there\nTo1"


@pytest.fixture
def library() -> Any:
    reason = "the vendor's library is not installed"
    return pytest.importorskip("plivo.utils.signature_v3", reason=reason)


def signed(call: HookCall, library: Any, nonce: str = NONCE) -> HookCall:
    """By the vendor's own functions."""
    get = call.method == "GET"
    params = {} if get else parse_qs(call.body.decode(), keep_blank_values=True)
    url = library.construct_get_url(call.url, params) if get else library.construct_post_url(call.url, params)
    signature = library.get_signature_v3(TOKEN.encode(), url.decode(), nonce).decode()
    return with_headers(call, x_plivo_signature_v3=signature, x_plivo_signature_v3_nonce=nonce)


def told(body: str, url: str = f"{URL}?mid=7") -> list[Any]:
    return list(HOOK.told(HookCall("POST", url, FORM, body.encode())))


@pytest.mark.parametrize("call", CALLS, ids=range(len(CALLS)))
def test_what_the_vendors_own_library_signs_is_believed(call: HookCall, library: Any) -> None:
    genuine = signed(call, library)
    assert HOOK.is_genuine(genuine, KEY, NOW)
    several = f"AAAA, {genuine.headers['x-plivo-signature-v3']}"
    assert HOOK.is_genuine(with_headers(genuine, x_plivo_signature_v3=several), KEY, NOW)


def test_what_is_signed_here_is_accepted_by_the_vendors_own_library(library: Any) -> None:
    signature = b64encode(hmac.digest(TOKEN.encode(), f"{SIGNED}.{NONCE}".encode(), "sha256")).decode()
    call = CALLS[1]
    params = parse_qs(call.body.decode())
    assert library.validate_v3_signature("POST", call.url, NONCE, TOKEN, signature, params)
    assert HOOK.is_genuine(
        with_headers(call, x_plivo_signature_v3=signature, x_plivo_signature_v3_nonce=NONCE), KEY, NOW
    )


def test_nothing_else_is_believed(library: Any) -> None:
    call = signed(CALLS[1], library)
    for changed in (
        replace(call, url=call.url.replace("mid=7", "mid=8")),
        replace(call, url=call.url.replace("https", "http")),
        replace(call, body=call.body + b"&To=3"),
        replace(call, body=call.body.replace(b"hi", b"ho")),
        replace(call, body=b""),
        replace(call, method="GET"),
        replace(call, url="https://[shop.example/"),
        with_headers(call, x_plivo_signature_v3=""),
        with_headers(call, x_plivo_signature_v3=","),
        with_headers(call, x_plivo_signature_v3="ż"),
        with_headers(call, x_plivo_signature_v3_nonce=""),
        with_headers(call, x_plivo_signature_v3_nonce=NONCE + "0"),
        replace(call, headers=FORM),
    ):
        assert not HOOK.is_genuine(changed, KEY, NOW)
    for key in (HookKey(), HookKey(secret=TOKEN, public=TOKEN), HookKey(token=TOKEN + "x")):
        assert not HOOK.is_genuine(call, key, NOW)


def test_what_is_not_signed_is_not_read(library: Any) -> None:
    call = replace(signed(CALLS[5], library), body=b"Status=delivered&MessageUUID=u-2")
    assert HOOK.is_genuine(call, KEY, NOW)
    assert [one.key for one in HOOK.told(call)] == ["u-1:sent"]


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("queued", "", "info"),
        ("sent", "", "info"),
        ("delivered", "", "delivered"),
        ("read", "", "opened"),
        *(("undelivered", code, "bounced_hard") for code in ("50", "70", "90")),
        *(("failed", code, "bounced_soft") for code in ("20", "80", "300", "420", "1000")),
        *((status, "200", "unsubscribed") for status in ("undelivered", "failed", "rejected")),
        *(("rejected", code, "failed") for code in ("10", "30", "40", "110", "451", "900", "910", "")),
        ("sent", "200", "info"),
        ("something_new", "50", "info"),
    ],
)
def test_a_status_is_an_outcome_of_our_message(status: str, code: str, outcome: str) -> None:
    fields = {"MessageUUID": "u-1", "Status": status, "ErrorCode": code, "To": "12015550123", "From": "12015550100"}
    (event,) = told(urlencode(fields))
    detail = f"error {code}" if code else ""
    assert astuple(event) == (f"u-1:{status}", outcome, status, None, 7, "u-1", "+12015550123", detail)


def test_the_parts_of_a_long_text_are_events_of_their_own_of_one_message() -> None:
    events = [told(f"MessageUUID=u-{part}&ParentMessageUUID=u-1&Status=sent")[0] for part in (1, 2)]
    assert [one.key for one in events] == ["u-1:sent", "u-2:sent"]
    assert [one.provider_id for one in events] == ["u-1", "u-1"]


def test_a_text_to_us_is_told_to_the_letter() -> None:
    (text,) = told("MessageUUID=u-2&From=12015550123&To=12015550100&Text=+Stop%0A%00&Type=sms", URL)
    assert text == InboundText("u-2", "+12015550123", "+12015550100", " Stop\n")
