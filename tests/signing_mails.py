"""Calls signed as vendors sign them, by the sandbox's own keys, with whatever in them."""

import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from automation.delivery.hooks import HookCall, HookKey
from automation.delivery.sandbox.telling import Ear, keys, mailgun, sendgrid, sns

URL = "https://shop.example/hooks/mail"
SECRET = "only a test's secret"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb"


def base64_of(key: Any) -> str:
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sendgrid_key() -> HookKey:
    return HookKey(public=keys.public_keys()["sendgrid"])


def sendgrid_call(body: bytes, timestamp: str = "1772445600") -> HookCall:
    request = sendgrid.signed(Ear(URL), body, timestamp)
    return HookCall("POST", URL, {**request.headers}, body)


def mailgun_call(data: Any, token: str = "c0ffee", timestamp: str = "1772445600") -> HookCall:  # noqa: S107 (it is in each call)
    signed = mailgun.signature(SECRET, timestamp, token)
    return HookCall("POST", URL, {}, json.dumps({"signature": signed, "event-data": data}).encode())


@cache
def certificate(key: Any = None) -> bytes:
    """Of the year 2026, as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key = key or keys.rsa_key()
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
    builder = builder.not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)


def sns_key() -> HookKey:
    return HookKey(public=TOPIC, certificates={CERTIFICATE_URL: certificate()})


def sns_outer(message: Any, **changed: Any) -> dict[str, Any]:
    """A notification of what SES or End User Messaging told, with its signature."""
    outer = {
        "Type": "Notification",
        "MessageId": "sns-1",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-03-02T10:00:00.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
        **changed,
    }
    return outer | {"Signature": sns.signature(outer)}


def sns_confirmation(**changed: Any) -> dict[str, Any]:
    question = f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL."
    asked = {"Type": "SubscriptionConfirmation", "Token": "2336412f37fb", "SubscribeURL": SUBSCRIBE_URL}
    return sns_outer(question, **(asked | changed))


def posted(outer: Any, **headers: str) -> HookCall:
    """As SNS posts it: two headers say again what the body says."""
    fields = outer if isinstance(outer, dict) else {}
    twice = {"x-amz-sns-message-type": str(fields.get("Type")), "x-amz-sns-message-id": str(fields.get("MessageId"))}
    return HookCall("POST", URL, {**twice, **headers}, json.dumps(outer).encode())


def sns_call(message: Any, **changed: Any) -> HookCall:
    return posted(sns_outer(message, **changed))


def other_letter(signature: str) -> str:
    """One bit of what it stands for is another."""
    raw = b64decode(signature)
    return b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode()
