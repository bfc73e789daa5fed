"""Amazon SNS, which carries what SES and End User Messaging tell.

https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html

The addresses in a call are Amazon's. Whoever listens to the sandbox looks for what lies there in the sandbox itself.
"""

import json
from base64 import b64encode
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from automation.delivery.sandbox.telling.keys import TOPIC, rsa_key
from automation.delivery.sandbox.telling.shapes import event_id, instant
from automation.delivery.sandbox.telling.telling import Ear, Happened

AMAZON = "https://sns.us-east-1.amazonaws.com"
CERTIFICATE_PATH = "/SimpleNotificationService-00000000000000000000000000000000.pem"
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def notification(happened: Happened, ear: Ear, message: Any) -> httpx.Request:
    """A call that brings this message, which is JSON in a text."""
    told = {"Type": "Notification", "Message": json.dumps(message)}
    return _call(ear, told, event_id(happened), happened.signed_at)


def confirmation(ear: Ear, at: datetime) -> httpx.Request:
    """The topic asks whether it may call."""
    token = uuid5(NAMESPACE_URL, ear.url).hex
    told = {
        "Type": "SubscriptionConfirmation",
        "Message": f"You have chosen to subscribe to the topic {TOPIC}.\nTo confirm, visit the SubscribeURL.",
        "Token": token,
        "SubscribeURL": f"{AMAZON}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}",
    }
    return _call(ear, told, str(uuid5(NAMESPACE_URL, f"{ear.url} {at}")), at)


def _call(ear: Ear, told: dict[str, str], key: str, at: datetime) -> httpx.Request:
    outer = {
        **told,
        "MessageId": key,
        "TopicArn": TOPIC,
        "Timestamp": instant(at),
        "SignatureVersion": "1",  # what a topic begins with
        "SigningCertURL": AMAZON + CERTIFICATE_PATH,
    }
    headers = {
        "content-type": "text/plain; charset=UTF-8",
        "x-amz-sns-message-type": outer["Type"],
        "x-amz-sns-message-id": key,
        "x-amz-sns-topic-arn": TOPIC,
    }
    body = json.dumps({**outer, "Signature": signature(outer)}).encode()
    return httpx.Request("POST", ear.url, headers=headers, content=body)


def signature(outer: dict[str, Any]) -> str:
    """Of a call, by the version that it names."""
    algorithm = SHA1() if outer["SignatureVersion"] == "1" else SHA256()  # noqa: S303 (the vendor's own choice)
    text = "".join(f"{name}\n{outer[name]}\n" for name in SIGNED if name in outer)
    return b64encode(rsa_key().sign(text.encode(), PKCS1v15(), algorithm)).decode()
