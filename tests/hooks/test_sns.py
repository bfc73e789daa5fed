"""Amazon SNS: whose calls are believed, where certificates may lie, and what asks to be confirmed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signing_mails import (
    CERTIFICATE_URL,
    SUBSCRIBE_URL,
    TOPIC,
    certificate,
    other_letter,
    posted,
    sns_call,
    sns_confirmation,
    sns_key,
    sns_outer,
)
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookKey, sns

FORMS: dict[str, dict[str, Any]] = {
    "notification": sns_outer("ä told\nin two lines"),
    "with a subject": sns_outer("told", Subject="Of what"),
    "to be confirmed": sns_confirmation(),
    "to be left": sns_confirmation(Type="UnsubscribeConfirmation"),
    "first version": sns_outer("told", SignatureVersion="1"),
    "first version, with a subject": sns_outer("told", SignatureVersion="1", Subject="Of what"),
    "first version, to be confirmed": sns_confirmation(SignatureVersion="1"),
}
HOST = "https://sns.eu-west-1.amazonaws.com"


def is_genuine(outer: Any, key: HookKey | None = None, now: datetime = NOW) -> bool:
    return sns.is_genuine(posted(outer), key or sns_key(), now)


@pytest.mark.parametrize("kind", ["ses", "aws_sms"])
@pytest.mark.parametrize("outer", FORMS.values(), ids=FORMS)
def test_what_a_topic_of_ours_signs_is_believed(kind: str, outer: dict[str, Any]) -> None:
    assert HOOKS[kind].is_genuine(posted(outer), sns_key(), NOW)


@pytest.mark.parametrize("name", [name for name in FORMS if name.startswith("first")])
def test_a_library_for_sns_believes_what_is_signed_here(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("sns_message_validator", reason="the library is not installed")
    theirs = library.SNSMessageValidator()
    fetched = SimpleNamespace(content=certificate())
    monkeypatch.setattr(theirs, "_cert_session", SimpleNamespace(get=lambda _: fetched))
    theirs.validate_message(FORMS[name])
    with pytest.raises(library.SignatureVerificationFailureException):
        theirs.validate_message(FORMS[name] | {"Message": "changed"})


@pytest.mark.parametrize("outer", FORMS.values(), ids=FORMS)
def test_each_part_that_is_signed_may_neither_change_nor_be_missing(outer: dict[str, Any]) -> None:
    for name in set(outer) - {"SignatureVersion", "SigningCertURL"}:
        changed = other_letter(outer[name]) if name == "Signature" else outer[name] + "x"
        values: tuple[Any, ...] = (changed, 7, ["x"], {}, "\ud800")
        assert not any(is_genuine(outer | {name: value}) for value in values)
        assert not is_genuine({key: value for key, value in outer.items() if key != name})


@pytest.mark.parametrize("version", ["1", "3", "", None, 2.0, {}])
def test_another_version_of_the_signature_is_not_believed(version: Any) -> None:
    assert not is_genuine(FORMS["notification"] | {"SignatureVersion": version})


@pytest.mark.parametrize("changed", ["Notification", "UnsubscribeConfirmation", "SomethingNew"])
def test_one_kind_of_call_is_not_believed_as_another(changed: str) -> None:
    assert not is_genuine(FORMS["to be confirmed"] | {"Type": changed})


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-sns-message-type": "SubscriptionConfirmation"},
        {"x-amz-sns-message-type": ""},
        {"x-amz-sns-message-id": "sns-2"},
        {"x-amz-sns-message-id": ""},
    ],
)
def test_headers_that_say_something_else_are_not_believed(headers: dict[str, str]) -> None:
    call = posted(FORMS["notification"], **headers)
    assert not sns.is_genuine(call, sns_key(), NOW)
    assert not sns.is_genuine(replace(posted(FORMS["notification"]), headers={}), sns_key(), NOW)


@pytest.mark.parametrize("topic", [None, "", TOPIC[:-1], TOPIC + "s", TOPIC.upper(), "arn:aws:sns:eu-west-1:*:*"])
def test_the_topic_of_somebody_else_is_not_believed(topic: str | None) -> None:
    assert not is_genuine(FORMS["notification"], replace(sns_key(), public=topic))


def test_several_topics_may_be_ours() -> None:
    assert is_genuine(FORMS["notification"], replace(sns_key(), public=f"{TOPIC}-replies {TOPIC}"))


@pytest.mark.parametrize("when", [datetime(2025, 12, 31, tzinfo=UTC), datetime(2027, 1, 2, tzinfo=UTC)])
def test_a_certificate_is_believed_only_while_it_is_valid(when: datetime) -> None:
    assert is_genuine(FORMS["notification"], now=datetime(2026, 12, 31, tzinfo=UTC))
    assert not is_genuine(FORMS["notification"], now=when)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"\xff\xfe",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        certificate()[:-60],
        certificate(ec.derive_private_key(7, ec.SECP256R1())),
        certificate(rsa.generate_private_key(65537, 2048)),
    ],
    ids=["empty", "no text", "no certificate", "cut off", "of a curve", "of somebody else"],
)
def test_another_certificate_does_not_do(pem: bytes) -> None:
    assert not is_genuine(FORMS["notification"], HookKey(public=TOPIC, certificates={CERTIFICATE_URL: pem}))


def test_without_the_certificate_nothing_is_believed() -> None:
    assert not is_genuine(FORMS["notification"], HookKey(public=TOPIC))


@pytest.mark.parametrize(
    "url",
    [
        CERTIFICATE_URL,
        "https://sns.us-gov-west-1.amazonaws.com/SimpleNotificationService-0.pem",
        "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem",
        "https://sns.ap-southeast-2.amazonaws.com/a/b.pem",
    ],
)
def test_a_certificate_may_lie_where_sns_keeps_them(url: str) -> None:
    assert sns.certificate_url(sns_call("told", SigningCertURL=url)) == url


@pytest.mark.parametrize(
    "url",
    [
        *(None, 7, [], {}, ""),
        CERTIFICATE_URL.replace("https", "http"),
        CERTIFICATE_URL + "\n",
        " " + CERTIFICATE_URL,
        CERTIFICATE_URL + "?x=.pem",
        CERTIFICATE_URL + "#.pem",
        CERTIFICATE_URL.removesuffix(".pem"),
        f"{HOST}/.pem/certificate",
        f"{HOST}?.pem",
        f"{HOST}:8443/a.pem",
        f"{HOST}.evil.example/a.pem",
        f"{HOST}@evil.example/a.pem",
        f"{HOST}\\@evil.example/a.pem",
        f"{HOST}.uk/a.pem",
        f"{HOST}/%2e%2e/a.pem",
        f"{HOST}/a\t.pem",
        "https://user@sns.eu-west-1.amazonaws.com/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://evilsns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1xamazonaws.com/a.pem",
        "https://sns.amazonaws.com/a.pem",
        "https://sns..amazonaws.com/a.pem",
        # Buckets that anybody may call "sns".
        "https://sns.s3.amazonaws.com/a.pem",
        "https://sns.s3-us-west-2.amazonaws.com/a.pem",
        "https://sns.s3.us-west-2.amazonaws.com/a.pem",
        "https://sns.s3-website-us-west-2.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/" + "a" * 10_000 + ".pem",
    ],
)
def test_a_certificate_from_elsewhere_is_neither_fetched_nor_believed(url: Any) -> None:
    outer = FORMS["notification"] | {"SigningCertURL": url}
    assert sns.certificate_url(posted(outer)) is None
    everywhere = {url: certificate()} if isinstance(url, str) else {}
    assert not is_genuine(outer, HookKey(public=TOPIC, certificates={"": certificate(), **everywhere}))


def test_what_asks_to_be_confirmed_is_given_back_and_tells_nothing_else() -> None:
    call = posted(FORMS["to be confirmed"])
    assert sns.subscription(call) == sns.Subscription(TOPIC, SUBSCRIBE_URL)
    assert "Token" not in repr(sns.subscription(call))
    assert HOOKS["ses"].told(call) == HOOKS["aws_sms"].told(call) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"Type": "Notification"},
        {"Type": "UnsubscribeConfirmation"},
        {"TopicArn": ""},
        *({"SubscribeURL": url} for url in (None, 7, "", CERTIFICATE_URL, f"{HOST}/", f"{HOST}/?", f"{HOST}/?a b")),
        *(
            {"SubscribeURL": SUBSCRIBE_URL.replace(*pair)}
            for pair in (("https", "http"), (HOST, "https://evil.example"))
        ),
        {"SubscribeURL": SUBSCRIBE_URL.replace(HOST, f"{HOST}@evil.example")},
        {"SubscribeURL": SUBSCRIBE_URL.replace(HOST, "https://sns.s3.amazonaws.com")},
        {"SubscribeURL": SUBSCRIBE_URL + "#\n"},
    ],
)
def test_nothing_else_is_confirmed(changed: dict[str, Any]) -> None:
    assert sns.subscription(posted(FORMS["to be confirmed"] | changed)) is None


def test_messages_that_are_delivered_raw_have_no_signature_and_are_not_believed() -> None:
    call = posted({"eventType": "Delivery", "mail": {"messageId": "m-1"}}, **{"x-amz-sns-rawdelivery": "true"})
    assert not sns.is_genuine(call, sns_key(), NOW)
    assert HOOKS["ses"].told(call) == []


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b"{", b"[" * 100_000])
def test_what_cannot_be_understood_is_not_believed_and_tells_nothing(body: bytes) -> None:
    call = replace(sns_call("told"), body=body)
    assert not sns.is_genuine(call, sns_key(), NOW)
    assert [sns.certificate_url(call), sns.subscription(call), sns.notification(call)] == [None, None, None]


def test_what_is_told_is_json_in_json() -> None:
    found = sns.notification(sns_call(json.dumps({"a": 2**60 + 1})))
    assert found == sns.Notification("sns-1", "2026-03-02T10:00:00.123Z", {"a": 2**60 + 1})
    plain = sns.notification(sns_call("Successfully validated SNS topic for Amazon SES event publishing."))
    assert plain is not None
    assert plain.body is None
