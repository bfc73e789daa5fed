"""Bird, SMS: https://bird.com/en-us/docs/api"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Later, Refused, Reply, Unknown, masked

Scope = Literal["recipient", "message", "account"]

# https://bird.com/en-us/docs/guides/errors
REFUSALS: dict[str, Scope] = {
    "auth_error": "account",
    "bad_request_error": "message",
    "billing_error": "account",
    # The key is of another region.
    "misdirected_error": "account",
    "not_found_error": "account",
    "payload_too_large_error": "message",
    "permission_error": "account",
    # The account has to prove something first.
    "precondition_error": "account",
    "validation_error": "message",
}
# What is wrong with the one number, or with the sender that every message has, is said of the field.
FIELDS: dict[str, Scope] = {"to": "recipient", "from": "account"}
NO_SENDER = "SMSNoEligibleSender"
TAG = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Bird:
    kind = "bird"
    base_url = "https://{region}.platform.bird.com"
    wants = (Want("region", re.compile(r"[a-z]{2}[0-9]"), 'write the one in the key, "eu1" of "bk_eu1_…"', "us1"),)
    batch_limit = 100
    # No limit for a batch is published.
    batch_bytes = 1_000_000
    # https://bird.com/en-us/docs/guides/idempotency: "roughly 3 hours", so half an hour is left.
    # What it answered with a server error it forgets at once and does afresh; its own clients repeat such a call too.
    key_window = timedelta(hours=2, minutes=30)

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        return len(orjson.dumps(_payload(message))) + 1

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:
        payloads = [_payload(message) for message in messages]
        one = len(payloads) == 1
        url = account.base_url + ("/v1/sms/messages" if one else "/v1/sms/batches")
        content = orjson.dumps(payloads[0] if one else {"messages": payloads})
        return httpx.Request("POST", url, headers=_headers(account, key), content=content)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        found = body if isinstance(body, dict) else {}
        if 200 <= answer.status < 300:  # noqa: PLR2004 (the class of successes)
            return [_accepted(item, answer) for item in _items(found, len(messages))]
        return classify.each(_reply(found, answer, now), len(messages))


def _payload(message: Outgoing) -> dict[str, Any]:
    """Without a validity: the field is announced, but a call that has it is refused."""
    return {
        "from": message.sender,
        "to": message.recipient,
        "text": message.text,
        "category": message.kind,
        **({"tags": [{"name": "tag", "value": message.tag}]} if TAG.fullmatch(message.tag) else {}),
        "metadata": {"mid": str(message.message_id)},
    }


def _headers(account: Account, key: str | None) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {account.token}",
        "Content-Type": "application/json",
        # A request without one is answered 403.
        "User-Agent": "automation",
    }
    return headers if key is None else {**headers, "Idempotency-Key": key}


def _items(body: dict[str, Any], count: int) -> list[Any]:
    """One per message, in their order; nothing for each where they cannot be told apart."""
    data = [body] if count == 1 else body.get("data")
    return data if isinstance(data, list) and len(data) == count else [None] * count


def _accepted(item: Any, answer: Answer) -> Reply:
    return classify.accepted(item.get("id") if isinstance(item, dict) else None, answer.status)


def _reply(body: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    inner = body.get("error")
    error = inner if isinstance(inner, dict) else body
    status, kind, text = answer.status, str(error.get("type", "")), str(error.get("message", ""))
    if status == 409:  # noqa: PLR2004 (an earlier call has this key, and it may have been taken)
        return Unknown(masked(str(error.get("name", ""))) or "http_409", http_status=status)
    if status == 429:  # noqa: PLR2004 (RFC 6585)
        return Later(classify.retry_after(answer, now), "http_429", throttled=True, http_status=status)
    # A server error tells nothing for certain, whatever came with it.
    if kind in REFUSALS and 400 <= status < 500:  # noqa: PLR2004 (the class of refusals)
        return Refused(kind, _scope(kind, error), masked(text), http_status=status)
    return classify.from_status(answer, now, text)


def _scope(kind: str, error: dict[str, Any]) -> Scope:
    if REFUSALS[kind] == "account" or error.get("name") == NO_SENDER:
        return "account"
    scopes = {FIELDS.get(field, REFUSALS[kind]) for field in _fields(error)}
    # Of several the widest: what is wrong with more than the number is not the number's fault.
    return next((one for one in ("account", "message", "recipient") if one in scopes), REFUSALS[kind])


def _fields(error: dict[str, Any]) -> set[str]:
    details = error.get("details")
    several = [one.get("param") for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return {str(one) for one in (error.get("param"), *several) if one}
