"""Every adapter, with an account of its own form and messages for it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, Adapter, account_of, classify
from automation.delivery.replies import Answer, Reply
from automation.settings import Provider

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
TOKEN = "t0ken-that-nobody-may-see"
ELSEWHERE = "http://127.0.0.1:8025/behind"
OWN_ID = 987_654_321
MAIL = Outgoing(
    message_id=OWN_ID,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>",
    text="Hi",
    headers={"List-Unsubscribe": "<https://shop.example/u/x1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tag="welcome",
    kind="marketing",
)
TEXT = replace(
    MAIL,
    channel="sms",
    sender="+15550100",
    recipient="+393331234567",
    subject="",
    html="",
    text="Ciao, è ora & 10 € 🎁",
    headers={},
    validity=timedelta(hours=2),
)
SID = "SM" + "0" * 32
# What each vendor answers when it took one message, and the id in it.
TAKEN: dict[str, tuple[int, Any, str]] = {
    "aws_sms": (200, {"MessageId": "a-1"}, "a-1"),
    "bird": (202, {"id": "sms_1", "status": "accepted"}, "sms_1"),
    "brevo": (201, {"messageId": "<1@brevo>"}, "<1@brevo>"),
    "mailgun": (200, {"id": "<1@mailgun>", "message": "Queued. Thank you."}, "1@mailgun"),
    "mailjet": (
        200,
        {"Messages": [{"Status": "success", "CustomID": str(OWN_ID), "To": [{"MessageID": 1152921511742440156}]}]},
        "1152921511742440156",
    ),
    "mailpit": (200, {"ID": "m-1"}, "m-1"),
    "messagebird": (201, {"id": "m-1", "recipients": {"items": [{"status": "sent"}]}}, "m-1"),
    "plivo": (202, {"message": "message(s) queued", "message_uuid": ["p-1"]}, "p-1"),
    "postmark": (200, {"MessageID": "p-1", "ErrorCode": 0, "Message": "OK"}, "p-1"),
    "resend": (200, {"id": "r-1"}, "r-1"),
    "sendgrid": (202, None, "s-1"),
    "ses": (200, {"MessageId": "s-1"}, "s-1"),
    "sinch": (201, {"id": "s-1"}, "s-1"),
    "telnyx": (200, {"data": {"id": "t-1", "errors": []}}, "t-1"),
    "twilio": (201, {"sid": SID, "status": "queued"}, SID),
    "vonage": (202, {"message_uuid": "v-1"}, "v-1"),
}
JSON, HTML = {"content-type": "application/json"}, {"content-type": "text/html"}
PAGE = b"<!doctype html><h1>Error</h1>"
EVERY = pytest.mark.parametrize("kind", sorted(ADAPTERS))
FIRST: dict[str, Any] = {"settings": settings(phases=[Phase.generate], database=None), "random": Random(7)}  # noqa: S311 (the same each time)
# A refusal of theirs may be one of a single message in a batch: where its words are lost, nobody knows of the others.
BY_ITEM = {"mailjet"}
FOLDER = Path(classify.__file__).parent


def provider_of(kind: str, **changes: Any) -> Provider:
    """Complete: where the vendor wants something, it has something of its form."""
    return Provider.model_validate({"kind": kind, "token": SecretStr(TOKEN), **wanted(kind), **changes})


@cache
def wanted(kind: str) -> dict[str, str]:
    needed = (want for want in ADAPTERS[kind].wants if want.sandbox is not None)
    return {want.name: find(st.from_regex(want.form, fullmatch=True), bool, **FIRST) for want in needed}


def account(kind: str, **changes: Any) -> Account:
    return account_of("shop", provider_of(kind, **changes), "https://shop.example/told")


def is_text(kind: str) -> bool:
    return Provider.model_validate({"kind": kind}).channel == "sms"


def messages_of(kind: str, count: int) -> list[Outgoing]:
    """For so many people; a vendor may refuse the same one twice in a call."""
    message = TEXT if is_text(kind) else MAIL
    if count == 1:
        return [message]
    people = (f"+39333{at:07}" if is_text(kind) else f"ada{at:07}@example.com" for at in range(count))
    return [replace(message, message_id=OWN_ID + at, recipient=one) for at, one in enumerate(people)]


def counts(adapter: Adapter) -> list[int]:
    return sorted({1, min(3, adapter.batch_limit), adapter.batch_limit})


def replies(kind: str, answer: Answer) -> Iterator[Reply]:
    """To a single message and to batches; always one for each message."""
    for count in counts(ADAPTERS[kind]):
        found = ADAPTERS[kind].replies(answer, messages_of(kind, count), NOW)
        assert len(found) == count
        yield from found


def words_of(reply: Reply) -> str:
    """All of it that is written into logs."""
    return f"{getattr(reply, 'reason', '')} {getattr(reply, 'detail', '')}"


def same(one: httpx.Request, other: httpx.Request) -> bool:
    return (one.method, one.url, one.headers.raw, one.content) == (
        other.method,
        other.url,
        other.headers.raw,
        other.content,
    )
