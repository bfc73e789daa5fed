"""Whatever is posted to us, a hook answers: that it is not genuine, and what of it was understood."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signing_mails import SECRET, posted, sendgrid_key, sns_outer
from vectors import NOW

from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey, InboundText, sns

KEY = HookKey(SECRET, SECRET, sendgrid_key().public)
NAMES = (
    *("authorization", "content-type", "webhook-id", "webhook-timestamp", "webhook-signature", "x-twilio-signature"),
    *("x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"),
    *("x-amz-sns-message-type", "x-amz-sns-message-id"),
)
# Servers read headers as Latin-1.
VALUES = st.text(st.characters(codec="latin-1"), max_size=20) | st.sampled_from(["Basic eHg6eHg=", "Bearer x", "AAAA"])
HEADERS = st.dictionaries(st.sampled_from(NAMES), VALUES)
FIELDS = (
    *("Type", "MessageId", "TopicArn", "Message", "Signature", "SignatureVersion", "SigningCertURL", "SubscribeURL"),
    *("eventType", "mail", "bounce", "bouncedRecipients", "destination", "messageId", "tags", "mid", "eventTimestamp"),
    *("inboundMessageId", "originationNumber", "messageBody", "context"),
    *("signature", "token", "timestamp", "event-data", "event", "severity", "reason", "user-variables", "message"),
    *("sg_event_id", "sg_message_id", "type", "email", "message-id", "ts_epoch", "MessageID", "time", "error", "url"),
)
WORDS = st.sampled_from(["Notification", "Bounce", "failed", "permanent", "dropped", "bounce", "blocked", "unsub"])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=10) | WORDS
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=8)
)
DATES = st.sampled_from(["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "²", "1e999", 10**400])


def answered(kind: str, call: HookCall) -> None:
    assert HOOKS[kind].is_genuine(call, KEY, NOW) is False
    for one in HOOKS[kind].told(call):
        assert isinstance(one, Event | InboundText)
        assert one.key
        assert "@" not in getattr(one, "detail", "")


@pytest.mark.parametrize("kind", sorted(HOOKS))
@given(body=st.binary(max_size=200), headers=HEADERS)
@settings(deadline=None, derandomize=True)
def test_any_bytes_are_answered(kind: str, body: bytes, headers: dict[str, str]) -> None:
    answered(kind, HookCall("POST", "https://shop.example/hooks?mid=7", headers, body))


@pytest.mark.parametrize("kind", sorted(HOOKS))
@given(body=JSON | st.dictionaries(st.sampled_from(FIELDS), DATES), headers=HEADERS)
@settings(deadline=None, derandomize=True)
def test_any_json_is_answered(kind: str, body: Any, headers: dict[str, str]) -> None:
    answered(kind, HookCall("POST", "https://shop.example/hooks?mid=7", headers, json.dumps(body).encode()))


@pytest.mark.parametrize("kind", ["aws_sms", "ses"])
@given(body=JSON, outer=st.dictionaries(st.sampled_from(FIELDS), SCALARS, max_size=2))
@settings(deadline=None, derandomize=True)
def test_any_json_within_a_notification_is_answered(kind: str, body: Any, outer: dict[str, Any]) -> None:
    call = posted(ENVELOPE | {"Message": json.dumps(body)} | outer)
    answered(kind, call)
    for url in (sns.certificate_url(call), getattr(sns.subscription(call), "url", None)):
        assert url is None or url.startswith("https://sns.eu-west-1.amazonaws.com/")


ENVELOPE = sns_outer("")


@pytest.mark.parametrize("kind", sorted(HOOKS))
@pytest.mark.parametrize("depth", [900, 100_000])
def test_what_is_nested_deeply_is_answered(kind: str, depth: int) -> None:
    deep = b"[" * depth + b"]" * depth
    names = ("type", "Type", "RecordType", "event", "reason", "error", "SuppressionReason", "MessageID", "data")
    body = b"{" + b",".join(b'"%s": %s' % (name.encode(), deep) for name in names) + b"}"
    known = body.replace(b'"event": ' + deep, b'"event": "blocked"').replace(b'"MessageID": ' + deep, b'"MessageID": 1')
    for one in (deep, body, known):
        answered(kind, HookCall("POST", "https://shop.example/hooks", {"webhook-id": "1"}, one))
