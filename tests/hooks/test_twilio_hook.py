"""Twilio's callbacks: which are genuine, and what they tell."""

import hmac
from base64 import b64encode
from dataclasses import astuple, replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl

import pytest
from vectors import NOW, call_of, key_of, vectors

from automation.delivery.hooks import HOOKS, HookCall, HookKey, InboundText

HOOK = HOOKS["twilio"]
VECTORS = vectors("twilio")
FORM = {"content-type": "application/x-www-form-urlencoded"}
URL = "https://shop.example/hooks/texts?mid=7"


def told(body: str, url: str = URL) -> list[Any]:
    return list(HOOK.told(HookCall("POST", url, FORM, body.encode())))


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside the repository")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["id"])
def test_what_was_published_is_judged_as_published(vector: dict[str, Any]) -> None:
    assert HOOK.is_genuine(call_of(vector), key_of(vector), NOW) is vector["valid"]


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside the repository")
def test_a_port_that_goes_without_saying_may_stand_there_or_not() -> None:
    good = next(one for one in VECTORS if one["id"] == "tw-doc")
    call = call_of(good)
    with_port = call.url.replace("mycompany.com", "mycompany.com:443")
    assert HOOK.is_genuine(replace(call, url=with_port), key_of(good), NOW)
    assert not HOOK.is_genuine(replace(call, url=call.url.replace(".com/", ".com:8443/")), key_of(good), NOW)


def signed(body: str, url: str = URL, kind: str = FORM["content-type"], algorithm: str = "sha1") -> HookCall:
    """The fields sorted, as the vendor writes it down; `body` has each name once."""
    fields = "".join(name + value for name, value in sorted(parse_qsl(body, keep_blank_values=True)))
    signature = b64encode(hmac.digest(b"token", (url + fields).encode(), algorithm)).decode()
    headers = {"content-type": kind, "x-twilio-signature": signature}
    more = {"x-twilio-webhooks-signature-settings": "algorithm=HMAC_SHA256"} if algorithm == "sha256" else {}
    return HookCall("POST", url, headers | more, body.encode())


BODY = "To=%2B12015550123&MessageSid=SM1&MessageStatus=delivered&ErrorCode="


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_form_is_believed_by_its_signature_in_either_algorithm(algorithm: str) -> None:
    call = signed(BODY, algorithm=algorithm)
    assert HOOK.is_genuine(call, HookKey(token="token"), NOW)
    assert not HOOK.is_genuine(replace(call, body=call.body + b"x"), HookKey(token="token"), NOW)
    assert not HOOK.is_genuine(call, HookKey(token="other"), NOW)


def test_a_form_that_says_that_it_is_none_is_signed_all_the_same() -> None:
    key = HookKey(token="token")
    assert HOOK.is_genuine(signed(BODY, kind="text/plain"), key, NOW)
    stolen = signed("", kind="text/plain")
    assert HOOK.is_genuine(stolen, key, NOW)
    assert not HOOK.is_genuine(replace(stolen, body=b"MessageSid=SM2&From=%2B1&Body=STOP"), key, NOW)


def test_a_body_that_is_no_form_is_believed_by_its_hash_in_the_signed_address() -> None:
    body = '{"MessageSid": "SM1"}'
    url = f"https://shop.example/hooks/texts?bodySHA256={sha256(body.encode()).hexdigest()}"
    call = replace(signed("", url, "application/json"), body=body.encode())
    assert HOOK.is_genuine(call, HookKey(token="token"), NOW)
    assert not HOOK.is_genuine(replace(call, body=b"{}"), HookKey(token="token"), NOW)


def test_without_a_token_nothing_is_genuine() -> None:
    call = HookCall("POST", URL, {**FORM, "x-twilio-signature": "x"}, b"")
    assert not HOOK.is_genuine(call, HookKey(), NOW)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        *((name, "", "info") for name in ("accepted", "scheduled", "queued", "sending")),
        ("sent", "", "info"),
        ("delivered", "", "delivered"),
        ("read", "", "opened"),
        ("undelivered", "30005", "bounced_hard"),
        *(("undelivered", code, "bounced_hard") for code in ("30004", "30006")),
        *(("undelivered", code, "bounced_soft") for code in ("30001", "30003", "30008")),
        ("undelivered", "30034", "failed"),
        ("failed", "21610", "unsubscribed"),
        ("failed", "30007", "failed"),
        ("canceled", "", "failed"),
        ("something_new", "", "info"),
    ],
)
def test_a_status_is_an_outcome_of_our_message(status: str, code: str, outcome: str) -> None:
    (event,) = told(f"MessageSid=SM1&MessageStatus={status}&ErrorCode={code}&To=%2B12015550123&From=%2B12015550100")
    detail = f"error {code}" if code else ""
    assert astuple(event) == (f"SM1:{status}", outcome, status, None, 7, "SM1", "+12015550123", detail)


def test_a_text_to_us_is_told_to_the_letter() -> None:
    (text,) = told("MessageSid=SM2&From=%2B12015550123&To=%2B12015550100&Body=+Stop%0A&OptOutType=STOP")
    assert text == InboundText("SM2", "+12015550123", "+12015550100", " Stop\n", None, "stop")


@pytest.mark.parametrize(
    "body", ["", "MessageStatus=sent", "%ff%fe", "MessageSid=%00&MessageStatus=sent", "From=x&Body=hi"]
)
def test_what_cannot_be_understood_tells_nothing(body: str) -> None:
    assert told(body) == []


@pytest.mark.parametrize("query", ["", "?mid=", "?mid=0", "?mid=-1", "?mid=9223372036854775808", "?mid=x"])
def test_an_id_that_is_none_of_ours_is_no_id(query: str) -> None:
    (event,) = told("MessageSid=SM1&MessageStatus=sent", f"https://shop.example/hooks/texts{query}")
    assert event.message_id is None
