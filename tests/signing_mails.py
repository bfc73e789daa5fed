"""Calls signed as vendors sign them, with keys made up here."""

import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from automation.delivery.hooks import HookCall, HookKey

URL = "https://shop.example/hooks/mail"
SECRET = "only a test's secret"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:shop"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
SUBSCRIBE_URL = f"https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37fb"
CURVE_KEY = ec.derive_private_key(20260302, ec.SECP256R1())
# https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
SIGNED_BY_SNS = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def base64_of(key: Any) -> str:
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sendgrid_key() -> HookKey:
    return HookKey(public=base64_of(CURVE_KEY.public_key()))


def sendgrid_call(body: bytes, timestamp: str = "1772445600") -> HookCall:
    signature = CURVE_KEY.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    headers = {
        "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": timestamp,
    }
    return HookCall("POST", URL, headers, body)


def mailgun_call(data: Any, token: str = "c0ffee", timestamp: str = "1772445600") -> HookCall:  # noqa: S107 (it is in each call)
    signature = hmac.digest(SECRET.encode(), f"{timestamp}{token}".encode(), "sha256").hex()
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    return HookCall("POST", URL, {}, json.dumps({"signature": signed, "event-data": data}).encode())


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate(key: Any = None) -> bytes:
    """Of the year 2026, as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key = key or rsa_key()
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
    text = "".join(f"{name}\n{outer[name]}\n" for name in SIGNED_BY_SNS if name in outer)
    algorithm = SHA1() if outer["SignatureVersion"] == "1" else SHA256()  # noqa: S303 (what a topic begins with)
    return outer | {"Signature": b64encode(rsa_key().sign(text.encode(), PKCS1v15(), algorithm)).decode()}


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
