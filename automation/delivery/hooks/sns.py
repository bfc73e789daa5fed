"""Amazon SNS, which carries what SES and End User Messaging tell.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html

Nothing is fetched here. Whoever takes the calls fetches the certificate that a call names, but only from a URL that
`certificate_url` gives back, and keeps it; and confirms a subscription only if its call was genuine.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import InvalidVersion, load_pem_x509_certificate

from automation.delivery.hooks.hook import HookCall, HookKey
from automation.delivery.hooks.reading import decoded, encoded, json_of, json_text, text_of

# The region is spelt out: sns.s3.amazonaws.com would be a bucket called "sns", and anybody's.
HOST = r"https://sns\.[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2}\.amazonaws\.com(?:\.cn)?"
CERTIFICATE = re.compile(HOST + r"/[A-Za-z0-9._/-]{1,500}\.pem")
SUBSCRIBE = re.compile(HOST + r"/\?[A-Za-z0-9._~:%&=+-]{1,2000}")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message-verify-message-signature.html
SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": CONFIRMATION,
    "UnsubscribeConfirmation": CONFIRMATION,
}
OPTIONAL = "Subject"
# The vendor's own choice; "1" is what a topic begins with.
ALGORITHMS = {"1": SHA1, "2": SHA256}
HEADERS = {"x-amz-sns-message-type": "Type", "x-amz-sns-message-id": "MessageId"}


@dataclass(frozen=True)
class Subscription:
    """A topic asks whether it may call us: a GET of `url` says yes. The URL holds a token."""

    topic: str
    url: str = field(repr=False)


@dataclass(frozen=True)
class Notification:
    """What a topic tells, and when. `body` is the JSON in its text, or None where it is no JSON."""

    key: str
    at: str | None
    body: Any


def certificate_url(call: HookCall) -> str | None:
    """Where the certificate lies that this call wants to be checked with; None for whatever else stands there."""
    return _allowed(_outer(call).get("SigningCertURL"), CERTIFICATE)


def subscription(call: HookCall) -> Subscription | None:
    """What a genuine call asks us to confirm, if that is what it is."""
    outer = _outer(call)
    url, topic = _allowed(outer.get("SubscribeURL"), SUBSCRIBE), text_of(outer.get("TopicArn"))
    if outer.get("Type") != "SubscriptionConfirmation" or url is None or topic is None:
        return None
    return Subscription(topic, url)


def notification(call: HookCall) -> Notification | None:
    outer = _outer(call)
    key, message = text_of(outer.get("MessageId")), outer.get("Message")
    if outer.get("Type") != "Notification" or key is None or not isinstance(message, str):
        return None
    return Notification(key, text_of(outer.get("Timestamp")), json_text(message))


def is_genuine(call: HookCall, key: HookKey, now: datetime) -> bool:
    """From a topic of ours, `key.public`: its ARN, or several with spaces between them."""
    outer = _outer(call)
    signed, hashed = _signed(outer), ALGORITHMS.get(text_of(outer.get("SignatureVersion")) or "")
    signature = decoded(text_of(outer.get("Signature")) or "")
    if signed is None or hashed is None or not signature or not _is_ours(call, outer, key):
        return False
    url = certificate_url(call)
    public = None if url is None else _public(key.certificates.get(url), now)
    if public is None:
        return False
    try:
        public.verify(signature, signed, PKCS1v15(), hashed())
    except (InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _outer(call: HookCall) -> dict[str, Any]:
    body = json_of(call)
    return body if isinstance(body, dict) else {}


def _allowed(url: Any, form: re.Pattern[str]) -> str | None:
    return url if isinstance(url, str) and form.fullmatch(url) else None


def _is_ours(call: HookCall, outer: dict[str, Any], key: HookKey) -> bool:
    told_twice = all(call.headers.get(header) == outer.get(name) for header, name in HEADERS.items())
    return told_twice and outer.get("TopicArn") in (key.public or "").split()


def _signed(outer: dict[str, Any]) -> bytes | None:
    """The text that is signed; None where something that belongs to it is missing or no text."""
    names = SIGNED.get(text_of(outer.get("Type")) or "", ())
    present = [name for name in names if name != OPTIONAL or outer.get(name) is not None]
    if not present or not all(isinstance(outer.get(name), str) for name in present):
        return None
    return b"".join(encoded(f"{name}\n{outer[name]}\n") for name in present)


def _public(certificate: bytes | None, now: datetime) -> RSAPublicKey | None:
    """The key of a certificate that is valid now."""
    try:
        found = load_pem_x509_certificate(certificate or b"")
        public = found.public_key()
    except (ValueError, InvalidVersion, UnsupportedAlgorithm):
        return None
    is_valid = found.not_valid_before_utc <= now <= found.not_valid_after_utc
    return public if is_valid and isinstance(public, RSAPublicKey) else None
