"""The way from a message to the sandbox and back, for whichever vendor: our own adapters, signatures and line."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import loopback

from automation.delivery.http import Door
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, LookUp, Signs, account_of, classify
from automation.delivery.replies import Answer, Failure, Reply
from automation.delivery.sought import Finding, Sought
from automation.settings import Provider

HERE = "http://127.0.0.1:8025"
MAIL = Outgoing(
    message_id=987_654_321,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße 🎁",
    html="<p>Hi</p>\r\n<p>Ada</p>",
    text="Hi\nAda",
    headers={"List-Unsubscribe": "<https://shop.example/u/x1>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    tag="welcome",
    kind="marketing",
    reply_to="Help <help@example.com>",
)


def mails(count: int) -> list[Outgoing]:
    """For so many people."""
    return [replace(MAIL, message_id=1 + at, recipient=f"ada{at}@example.com") for at in range(count)]


def account(kind: str, url: str) -> Account:
    """What `base_url` alone gives."""
    return account_of("shop", Provider.model_validate({"kind": kind, "base_url": url}), "https://shop.example/told")


def request_of(kind: str, url: str, messages: Sequence[Outgoing], key: str | None = None) -> httpx.Request:
    adapter, ours = ADAPTERS[kind], account(kind, url)
    request = adapter.request(messages, ours, key)
    return adapter.signed(request, ours, datetime.now(UTC)) if isinstance(adapter, Signs) else request


def posted(request: httpx.Request) -> Answer | Failure:
    async def once() -> Answer | Failure:
        async with Door(concurrency=1) as door:
            return await door.post(request, timeout=timedelta(seconds=10))

    return asyncio.run(once())


def send(kind: str, url: str, *messages: Outgoing, key: str | None = None) -> list[Reply]:
    heard = posted(request_of(kind, url, messages, key))
    if isinstance(heard, Failure):
        return classify.each(classify.from_failure(heard), len(messages))
    return ADAPTERS[kind].replies(heard, messages, datetime.now(UTC))


def look_up(kind: str, url: str, sought: Sought) -> Finding:
    adapter = ADAPTERS[kind]
    assert isinstance(adapter, LookUp)
    heard = posted(adapter.look_up(sought, account(kind, url)))
    assert isinstance(heard, Answer)
    return adapter.found(heard, sought)


def taken(url: str) -> list[dict[str, Any]]:
    """What the sandbox took, oldest first."""
    found: list[dict[str, Any]] = loopback.get(f"{url}/api/messages?limit=10000").json()["messages"]
    return found
