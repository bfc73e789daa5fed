"""Twilio's callbacks: which are genuine, and what they tell."""

from dataclasses import astuple, replace
from typing import Any

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


def test_without_a_token_nothing_is_genuine() -> None:
    call = HookCall("POST", URL, {**FORM, "x-twilio-signature": "x"}, b"")
    assert not HOOK.is_genuine(call, HookKey(), NOW)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("queued", "", "info"),
        ("sent", "", "info"),
        ("delivered", "", "delivered"),
        ("read", "", "opened"),
        ("undelivered", "30005", "bounced_hard"),
        ("undelivered", "30003", "bounced_soft"),
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
