"""What the sandbox tells of a text is believed and understood by our side, and accepted by the vendor's own library."""

import json
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import parse_qs

import httpx
import pytest
from calling import HERE, account, request_of
from outgoing import NUDGE

from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey, InboundText
from automation.delivery.outgoing import Outgoing
from automation.delivery.sandbox.exchange import Post
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling import TELLS, Ear, Happened, keys, sns
from automation.delivery.sandbox.vendors import VENDORS
from automation.settings.provider import SmsKind

KINDS: tuple[str, ...] = get_args(SmsKind)
EVERY = pytest.mark.parametrize("kind", KINDS)
NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)
URL = "https://shop.example/hooks/texts"
TOKEN, SECRET = "only a test's token, made up and of no use", "only a test's secret, made up and of no use"
WEBHOOK_SECRET = "whsec_" + b64encode(b"only a test's secret").decode()
OUTCOMES = ("delivered", "bounced_hard", "bounced_soft", "unsubscribed", "failed")
SILENT = {("aws_sms", "unsubscribed"), ("sinch", "unsubscribed")}
TOLD = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES if (kind, outcome) not in SILENT]


def ear(kind: str) -> Ear:
    return Ear(URL, TOKEN, WEBHOOK_SECRET if kind == "bird" else SECRET)


def key(kind: str) -> HookKey:
    certificates = {sns.AMAZON + sns.CERTIFICATE_PATH: keys.certificate()}
    return HookKey(TOKEN, ear(kind).secret, keys.public_keys().get(kind), certificates)


def taken(kind: str, message: Outgoing = NUDGE, **fields: Any) -> Taken:
    """As the sandbox took it from our adapter, with these fields changed on the way."""
    request = request_of(kind, HERE, [message])
    ours = account(kind, HERE).account or ""
    act = next(iter(next(one for one in VENDORS if one.kind == kind).sending.values()))
    body = json.dumps({**json.loads(request.content), **fields}).encode() if fields else request.content
    path = dict.fromkeys(("sid", "auth_id", "service_plan_id"), ours)
    (one,) = act(Post(dict(request.headers), path, body, NOW)).taken
    return one


def told(kind: str, outcome: str, text: str = "", number: int = 1, at: datetime = NOW, **fields: Any) -> httpx.Request:
    request = TELLS[kind](Happened(taken(kind, **fields), outcome, at, number, text), ear(kind))
    assert request is not None
    return request


def call_of(request: httpx.Request) -> HookCall:
    return HookCall(request.method, str(request.url), dict(request.headers), request.content)


def believed(kind: str, call: HookCall, now: datetime = NOW) -> bool:
    return HOOKS[kind].is_genuine(call, key(kind), now)


@pytest.mark.parametrize(("kind", "outcome"), TOLD)
def test_an_outcome_is_believed_and_is_the_one_that_happened(kind: str, outcome: str) -> None:
    message = taken(kind)
    request = TELLS[kind](Happened(message, outcome, NOW, 1), ear(kind))
    assert request is not None
    call = call_of(request)
    assert believed(kind, call)
    (event,) = HOOKS[kind].told(call)
    assert isinstance(event, Event)
    assert (event.outcome, event.message_id) == (outcome, NUDGE.message_id)
    assert (event.provider_id, event.recipient) == (message.provider_id, NUDGE.recipient)
    assert event.happened_at in {NOW, None}


@EVERY
def test_an_event_that_is_told_again_later_is_the_same_one(kind: str) -> None:
    message = taken(kind)
    first = Happened(message, "delivered", NOW, 1)
    calls = []
    for happened in (first, replace(first, told_at=NOW + timedelta(hours=5))):
        request = TELLS[kind](happened, ear(kind))
        assert request is not None
        calls.append(call_of(request))
        assert believed(kind, calls[-1], happened.signed_at)
    events = [next(iter(HOOKS[kind].told(call))) for call in calls]
    assert events[0] == events[1]


@EVERY
@pytest.mark.parametrize("text", ["STOP", " Ciao, è ora 🎁\nGrazie & a=b+c%20"])
def test_an_answer_comes_in_to_the_letter(kind: str, text: str) -> None:
    call = call_of(told(kind, "inbound", text))
    assert believed(kind, call)
    (heard,) = HOOKS[kind].told(call)
    assert isinstance(heard, InboundText)
    assert (heard.sender, heard.recipient, heard.text) == (NUDGE.recipient, NUDGE.sender, text)
    (again, other) = (next(iter(HOOKS[kind].told(call_of(told(kind, "inbound", text, at))))) for at in (1, 2))
    assert again.key != other.key


@EVERY
def test_nobody_can_answer_a_sender_of_letters(kind: str) -> None:
    message = taken(kind, replace(NUDGE, sender="Shop"))
    assert TELLS[kind](Happened(message, "inbound", NOW, 1, "Hi"), ear(kind)) is None


@EVERY
@pytest.mark.parametrize("outcome", ["opened", "clicked", "complained", "unsubscribed"])
def test_what_a_vendor_does_not_tell_is_not_told(kind: str, outcome: str) -> None:
    if (kind, outcome) not in TOLD:
        assert TELLS[kind](Happened(taken(kind), outcome, NOW, 1), ear(kind)) is None


def changed(call: HookCall) -> Iterator[HookCall]:
    """One letter is another one: in what is posted, or in what is asked."""
    if call.body:
        place = len(call.body) // 2
        other = bytes([call.body[place] ^ 1])
        yield replace(call, body=call.body[:place] + other + call.body[place + 1 :])
    if "?" in call.url and call.method == "GET":
        yield replace(call, url=call.url + "0")


@EVERY
@pytest.mark.parametrize("outcome", ["delivered", "inbound"])
def test_a_call_that_was_changed_is_not_believed(kind: str, outcome: str) -> None:
    call = call_of(told(kind, outcome, "Hi"))
    for other in changed(call):
        assert not believed(kind, other)
    for wrong in (HookKey(), HookKey("x" * 40, "x" * 40, "x" * 40)):
        assert not HOOKS[kind].is_genuine(call, wrong, NOW)


@EVERY
def test_without_a_secret_nothing_is_signed_and_nothing_believed(kind: str) -> None:
    request = TELLS[kind](Happened(taken(kind), "delivered", NOW, 1), Ear(URL))
    assert request is not None
    own_keys = {"aws_sms", "telnyx"}  # which the sandbox has
    assert believed(kind, call_of(request)) is (kind in own_keys)


def test_messagebird_asks_with_a_get_and_only_for_messages_that_have_a_reference() -> None:
    assert told("messagebird", "delivered").method == "GET"
    assert (
        TELLS["messagebird"](Happened(taken("messagebird")._replace(mid=""), "delivered", NOW, 1), ear("messagebird"))
        is None
    )


def test_plivo_calls_with_the_method_that_the_message_wanted() -> None:
    for outcome in ("delivered", "failed"):
        call = call_of(told("plivo", outcome, method="GET"))
        assert (call.method, call.body) == ("GET", b"")
        assert believed("plivo", call)
        assert [one.outcome for one in HOOKS["plivo"].told(call) if isinstance(one, Event)] == [outcome]


def test_sinch_reports_only_where_the_message_wanted_it_of_each_recipient() -> None:
    for wanted in ("none", "summary", "full"):
        happened = Happened(taken("sinch", delivery_report=wanted), "delivered", NOW, 1)
        assert TELLS["sinch"](happened, ear("sinch")) is None


OURS = pytest.mark.parametrize("outcome", ["delivered", "bounced_hard", "inbound"])


def lately() -> datetime:
    """Their libraries look at the clock."""
    return datetime.fromtimestamp(int(time.time()), UTC)


@OURS
def test_twilios_own_library_accepts_it(outcome: str) -> None:
    library = pytest.importorskip("twilio.request_validator", reason="the vendor's library is not installed")
    call = call_of(told("twilio", outcome, "Ciao & è"))
    params = {name: values[0] for name, values in parse_qs(call.body.decode(), keep_blank_values=True).items()}
    assert library.RequestValidator(TOKEN).validate(call.url, params, call.headers["x-twilio-signature"])


@OURS
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_plivos_own_library_accepts_it(outcome: str, method: str) -> None:
    library = pytest.importorskip("plivo.utils.signature_v3", reason="the vendor's library is not installed")
    call = call_of(told("plivo", outcome, "Ciao & è", method=method))
    params = parse_qs(call.body.decode(), keep_blank_values=True)
    signature, nonce = (call.headers[f"x-plivo-signature-v3{end}"] for end in ("", "-nonce"))
    assert library.validate_v3_signature(call.method, call.url, nonce, TOKEN, signature, params)


@OURS
def test_messagebirds_own_library_accepts_it(outcome: str) -> None:
    library = pytest.importorskip("messagebird.request_validator", reason="the vendor's library is not installed")
    call = call_of(told("messagebird", outcome, "Ciao & è", at=lately()))
    token = call.headers["messagebird-signature-jwt"]
    assert library.RequestValidator(SECRET).validate_signature(token, call.url, call.body)["iss"] == "MessageBird"


@OURS
def test_vonages_own_library_accepts_it(outcome: str) -> None:
    library = pytest.importorskip("vonage_jwt", reason="the vendor's library is not installed")
    call = call_of(told("vonage", outcome, "Ciao & è", at=lately()))
    assert library.verify_signature(call.headers["authorization"].removeprefix("Bearer "), SECRET)


@OURS
def test_telnyxs_own_library_accepts_it(outcome: str) -> None:
    pytest.importorskip("nacl", reason="the vendor's library checks nothing without PyNaCl")
    library = pytest.importorskip("telnyx.lib.webhook_verification", reason="the vendor's library is not installed")
    call = call_of(told("telnyx", outcome, "Ciao & è", at=lately()))
    library.verify_webhook_signature(call.body, call.headers, keys.public_keys()["telnyx"])


@OURS
def test_sinchs_own_library_accepts_it(outcome: str) -> None:
    path = "sinch.domains.authentication.sinch_events.v1.authentication_validation"
    library = pytest.importorskip(path, reason="the vendor's library is not installed")
    call = call_of(told("sinch", outcome, "Ciao & è"))
    assert library.validate_sinch_event_signature_with_nonce(SECRET, call.headers, call.body.decode())


@OURS
def test_birds_own_library_accepts_and_understands_it(outcome: str) -> None:
    library = pytest.importorskip("bird.resources.webhooks", reason="the vendor's library is not installed")
    call = call_of(told("bird", outcome, "Ciao & è", at=lately()))
    found = library.Webhooks(None, WEBHOOK_SECRET).unwrap(call.body, call.headers)
    assert found.root.type == json.loads(call.body)["type"]
