"""What each vendor of texts refuses, with its own status and word for it; and that our side understands that word."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from calling import HERE, account, request_of, send, taken
from outgoing import NUDGE

from automation.delivery.providers import ADAPTERS
from automation.delivery.replies import Accepted, Refused
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.exchange import Post
from automation.delivery.sandbox.vendors import VENDORS

CALLBACK = "https://shop.example/told"
JSON_KINDS = ("aws_sms", "bird", "messagebird", "plivo", "sinch", "telnyx", "vonage")
EVERY = pytest.mark.parametrize("kind", JSON_KINDS)
GONE: Any = object()
AWS_KEY = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260302/us-east-1/{}/aws4_request, "
SIGNED = AWS_KEY + "SignedHeaders={}, Signature=" + "0" * 64
# The name of the field for the recipient, the sender and the text.
TO, FROM, BODY = 0, 1, 2
FIELDS = {
    "aws_sms": ("DestinationPhoneNumber", "OriginationIdentity", "MessageBody"),
    "bird": ("to", "from", "text"),
    "messagebird": ("recipients", "originator", "body"),
    "plivo": ("dst", "src", "text"),
    "sinch": ("to", "from", "body"),
    "telnyx": ("to", "from", "text"),
    "vonage": ("to", "from", "text"),
}
LISTED = {"messagebird", "sinch"}


def heard(kind: str, body: Any = None, **headers: Any) -> tuple[int, str]:
    """The status and the vendor's word. `body`: fields to change, or the whole of it as bytes."""
    request = request_of(kind, HERE, [NUDGE])
    content = request.content if body is None else body
    if isinstance(body, dict):
        fields = {**json.loads(request.content), **body}
        content = json.dumps({name: value for name, value in fields.items() if value is not GONE}).encode()
    named = {**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    given = {name: value for name, value in named.items() if value is not GONE}
    path = dict.fromkeys(("auth_id", "service_plan_id"), account(kind, HERE).account or "")
    act = next(iter(next(one for one in VENDORS if one.kind == kind).sending.values()))
    result = act(Post(given, path, content, datetime.now(UTC)))
    assert result.status >= 400
    assert result.taken == ()
    return result.status, word_of(kind, result.payload) if result.payload else ""


def word_of(kind: str, body: Any) -> str:
    if kind == "aws_sms":
        return " ".join([body["__type"], *([body["Reason"]] if "Reason" in body else [])])
    if kind == "bird":
        return " ".join([body["error"]["type"], *([body["error"]["param"]] if "param" in body["error"] else [])])
    if kind == "messagebird":
        return f"{body['errors'][0]['code']} {body['errors'][0]['parameter']}"
    if kind == "plivo":
        return str(body["error"]).partition(":")[0]
    if kind == "sinch":
        return str(body["code"])
    return str(body["errors"][0]["code"]) if kind == "telnyx" else str(body["type"]).rpartition("#")[2]


NO_CREDENTIALS = {
    "aws_sms": (400, "MissingAuthenticationTokenException"),
    "bird": (401, "auth_error"),
    "messagebird": (401, "2 access_key"),
    "plivo": (401, "Could not verify your access level for that URL. You have to login with proper credentials."),
    "sinch": (401, ""),
    "telnyx": (401, "10009"),
    "vonage": (401, "unauthorized"),
}


@EVERY
def test_nobody_without_credentials_is_heard(kind: str) -> None:
    assert heard(kind, authorization=GONE) == NO_CREDENTIALS[kind]
    if kind != "aws_sms":
        for given in ("Basic", "Basic !", "Digest a", f"Basic {b64encode(b':').decode()}"):
            assert heard(kind, authorization=given) == NO_CREDENTIALS[kind]


NO_JSON = {
    "aws_sms": (400, "SerializationException"),
    "bird": (400, "bad_request_error"),
    "messagebird": (422, "10 None"),
    "plivo": (400, "The body is no JSON."),
    "sinch": (400, "syntax_invalid_json"),
    "telnyx": (400, "10015"),
    "vonage": (400, "invalid-json"),
}


@EVERY
def test_what_is_no_json_is_said_so(kind: str) -> None:
    for content in (b"", b"{", b"\xff", b"a=1"):
        assert heard(kind, content) == NO_JSON[kind]
    assert heard(kind, content_type="text/plain")[0] in {400, 415, 422}


BAD_FIELD = {
    "aws_sms": (400, "ValidationException FIELD_VALIDATION_FAILED"),
    "bird": (422, "validation_error {}"),
    "messagebird": (422, "10 {}"),
    "plivo": (400, "{}"),
    "sinch": (400, "syntax_invalid_parameter_format"),
    "telnyx": (422, "10015"),
    "vonage": (422, "1020"),
}
# Of some fields and flaws they say something else.
BAD_TELNYX = {TO: (400, "40310"), FROM: (400, "40305"), BODY: (400, "40316")}
TOO_LONG = {"sinch": (400, "syntax_constraint_violation")}
MISSING = {
    "aws_sms": (400, "ValidationException MISSING_PARAMETER"),
    "messagebird": (422, "9 {}"),
    "sinch": (400, "syntax_constraint_violation"),
    "vonage": (422, "1010"),
}


def expected(kind: str, place: int, table: dict[str, tuple[int, str]]) -> tuple[int, str]:
    if kind == "telnyx":
        return BAD_TELNYX[place]
    status, word = {**BAD_FIELD, **table}[kind]
    return status, word.format(FIELDS[kind][place])


@EVERY
def test_a_field_of_another_form_is_named(kind: str) -> None:
    to, sender, text = FIELDS[kind]
    for number in ("555", "0033612345678", "+39 333", "ada@example.com", "+3933312345678901234", 393331234567):
        answer = heard(kind, {to: [number] if kind in LISTED else number})
        status, word = expected(kind, TO, {})
        listed = {"bird": word, "messagebird": "10 recipients", "plivo": "dst"}.get(kind, word)
        assert answer in {(status, word), (status, listed)}, (number, answer)
    for wrong in ("S", "Shop & Friends", "", 5, "+1555\r\nX: y"):
        if (kind, wrong) not in {("aws_sms", "S"), *((one, "S") for one in JSON_KINDS)}:
            assert heard(kind, {sender: wrong})[0] == expected(kind, FROM, {})[0]
    assert heard(kind, {text: 5}) == expected(kind, BODY, {})
    assert heard(kind, {text: ""})[0] == expected(kind, BODY, {})[0]


@EVERY
def test_a_field_that_is_missing_is_named(kind: str) -> None:
    to, _, text = FIELDS[kind]
    assert heard(kind, {to: GONE}) == expected(kind, TO, MISSING)
    assert heard(kind, {text: GONE}) == expected(kind, BODY, MISSING)


@EVERY
def test_a_field_that_the_vendor_does_not_know_is_refused(kind: str) -> None:
    assert heard(kind, {"unheardOf": 1})[0] == BAD_FIELD[kind][0]


@pytest.mark.parametrize(
    ("kind", "fields", "answer"),
    [
        ("aws_sms", {"MessageBody": "x" * 1601}, (400, "ValidationException FIELD_VALIDATION_FAILED")),
        ("aws_sms", {"TimeToLive": 4}, (400, "ValidationException FIELD_VALIDATION_FAILED")),
        ("aws_sms", {"Context": {"a": " "}}, (400, "ValidationException FIELD_VALIDATION_FAILED")),
        ("aws_sms", {"Context": dict.fromkeys("abcdef", "x")}, (400, "ValidationException FIELD_VALIDATION_FAILED")),
        ("bird", {"text": "x" * 1837}, (422, "validation_error text")),
        ("bird", {"category": GONE}, (422, "validation_error category")),
        ("bird", {"validity_period": 60}, (422, "validation_error validity_period")),
        ("bird", {"metadata": {"a": "x" * 2048}}, (422, "validation_error metadata")),
        ("bird", {"tags": [{"name": "a", "value": "b"}] * 2}, (422, "validation_error tags")),
        ("bird", {"tags": [{"name": "a b", "value": "b"}]}, (422, "validation_error tags.0.name")),
        ("messagebird", {"body": "x" * 1378}, (422, "10 body")),
        ("messagebird", {"recipients": []}, (422, "10 recipients")),
        ("messagebird", {"validity": 0}, (422, "10 validity")),
        ("messagebird", {"reportUrl": "shop.example"}, (422, "10 reportUrl")),
        ("plivo", {"text": "x" * 1601}, (400, "text")),
        ("plivo", {"src": GONE}, (400, "Specify either src or powerpack_uuid to send a message.")),
        ("plivo", {"src": "393331234567"}, (400, "src and dst cannot be the same.")),
        ("plivo", {"message_expiry": 10_800}, (400, "message_expiry")),
        ("plivo", {"url": "ftp://shop.example"}, (400, "url")),
        ("sinch", {"body": "x" * 2001}, (400, "syntax_constraint_violation")),
        ("sinch", {"to": []}, (400, "syntax_constraint_violation")),
        ("sinch", {"callback_url": GONE}, (403, "missing_callback_url")),
        ("sinch", {"expire_at": "2020-01-01T00:00:00Z"}, (400, "syntax_constraint_violation")),
        ("sinch", {"expire_at": "2999-01-01T00:00:00Z"}, (400, "syntax_constraint_violation")),
        ("sinch", {"expire_at": "soon"}, (400, "syntax_invalid_parameter_format")),
        ("telnyx", {"from": GONE}, (400, "40321")),
        ("telnyx", {"messaging_profile_id": "mine"}, (422, "10015")),
        ("telnyx", {"tags": ["a\nb"]}, (422, "10015")),
        ("vonage", {"to": "+393331234567"}, (422, "1020")),
        ("vonage", {"text": "x" * 1001}, (422, "1020")),
        ("vonage", {"channel": "viber"}, (422, "1020")),
        ("vonage", {"ttl": 19}, (422, "1020")),
        ("vonage", {"client_ref": "x" * 101}, (422, "1020")),
    ],
)
def test_the_vendors_own_limits_hold(kind: str, fields: Any, answer: tuple[int, str]) -> None:
    assert heard(kind, fields) == answer


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ({"x_amz_target": GONE}, "UnknownOperationException"),
        ({"x_amz_target": "PinpointSMSVoiceV2.SendVoiceMessage"}, "UnknownOperationException"),
        ({"x_amz_date": GONE}, "IncompleteSignatureException"),
        ({"authorization": "Bearer a"}, "IncompleteSignatureException"),
        ({"authorization": SIGNED.format("ses", "host;x-amz-date")}, "InvalidSignatureException"),
        ({"authorization": SIGNED.format("sms-voice", "host")}, "InvalidSignatureException"),
        ({"authorization": SIGNED.format("sms-voice", "host;x-amz-date")}, "InvalidSignatureException"),
    ],
)
def test_a_call_to_amazon_names_what_it_wants_and_is_signed(headers: dict[str, Any], word: str) -> None:
    assert heard("aws_sms", **headers) == (400, word)


def test_bird_wants_a_user_agent_and_a_key_that_is_one() -> None:
    assert heard("bird", user_agent="") == (403, "permission_error")
    assert heard("bird", idempotency_key="x" * 256) == (400, "bad_request_error Idempotency-Key")


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("aws_sms", ("invalid_request", "message", None)),
        ("bird", ("validation_error", "recipient", None)),
        ("messagebird", ("missing_parameter", "recipient", None)),
        ("plivo", ("invalid_number", "recipient", "bounced_hard")),
        ("sinch", ("syntax_invalid_parameter_format", "message", None)),
        ("telnyx", ("recipient_not_usable", "recipient", None)),
        ("twilio", ("invalid_number", "recipient", "bounced_hard")),
        ("vonage", ("invalid_number", "recipient", "bounced_hard")),
    ],
)
def test_a_number_that_is_none_is_refused_in_words_that_we_know(
    sandbox: SandboxServer, kind: str, reply: tuple[str, str, str | None]
) -> None:
    (found,) = send(kind, sandbox.url, replace(NUDGE, recipient="+15005550001"))
    assert isinstance(found, Refused)
    assert (found.reason, found.scope, found.suppress) == reply
    assert taken(sandbox.url) == []


OPTED_OUT_AT_ONCE = {
    "aws_sms": "unsubscribed",
    "bird": None,
    "sinch": None,
    "telnyx": "unsubscribed",
    "twilio": "unsubscribed",
}


@pytest.mark.parametrize("kind", sorted(ADAPTERS.keys() & {*FIELDS, "twilio"}))
def test_a_number_that_opted_out_is_refused_where_the_vendor_does_so_at_once(sandbox: SandboxServer, kind: str) -> None:
    (found,) = send(kind, sandbox.url, replace(NUDGE, recipient="+15005550004"))
    if kind in OPTED_OUT_AT_ONCE:
        assert isinstance(found, Refused)
        assert found.suppress == OPTED_OUT_AT_ONCE[kind]
    else:
        assert isinstance(found, Accepted)
