"""Resend: https://resend.com/docs/api-reference/emails/send-email"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account
from automation.delivery.replies import Answer, Later, Refused, Reply, Unknown, masked

Scope = Literal["recipient", "message", "account"]

# https://resend.com/docs/api-reference/errors
REFUSALS: dict[tuple[int, str], Scope] = {
    (400, "invalid_idempotency_key"): "message",
    (400, "validation_error"): "message",
    (401, "missing_api_key"): "account",
    (401, "restricted_api_key"): "account",
    (403, "invalid_api_key"): "account",
    # The sender's domain is not verified, or the account may only write to itself.
    (403, "validation_error"): "account",
    (404, "not_found"): "account",
    (405, "method_not_allowed"): "account",
    (422, "invalid_access"): "message",
    (422, "invalid_attachment"): "message",
    (422, "invalid_from_address"): "message",
    (422, "invalid_parameter"): "message",
    (422, "invalid_region"): "message",
    (422, "missing_required_field"): "message",
    (422, "validation_error"): "message",
    (429, "daily_quota_exceeded"): "account",
    (429, "monthly_quota_exceeded"): "account",
    (451, "security_error"): "account",
}
# Whatever the name; the other statuses mean what they mean everywhere.
ACCOUNT = frozenset({405, 451})


class Resend:
    kind = "resend"
    base_url = "https://api.resend.com"
    wants = ()
    batch_limit = 100
    # No limit for a batch is published, only one of 40 MB for an email.
    batch_bytes = 10_000_000
    # Of 24, https://resend.com/docs/dashboard/emails/idempotency-keys: meanwhile our clock may be set back by the rest.
    key_window = timedelta(hours=16)

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        return len(orjson.dumps(_payload(message))) + 1

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:
        payloads = [_payload(message) for message in messages]
        one = len(payloads) == 1
        url = account.base_url + ("/emails" if one else "/emails/batch")
        content = orjson.dumps(payloads[0] if one else payloads)
        return httpx.Request("POST", url, headers=_headers(account, key, one=one), content=content)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        if 200 <= answer.status < 300:  # noqa: PLR2004 (the class of successes)
            return [_accepted(item, answer) for item in _items(body, len(messages))]
        return classify.each(_reply(body, answer, now), len(messages))


def _payload(message: Outgoing) -> dict[str, Any]:
    bodies = {"html": message.html, "text": message.text}
    return {
        "from": message.sender,
        "to": [message.recipient],
        "subject": message.subject,
        **{name: text for name, text in bodies.items() if text},
        **({"reply_to": message.reply_to} if message.reply_to else {}),
        "headers": dict(sorted(message.headers.items())),
        "tags": [{"name": "tag", "value": message.tag}, {"name": "mid", "value": str(message.message_id)}],
    }


def _headers(account: Account, key: str | None, *, one: bool) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Authorization": f"Bearer {account.token}",
        "Content-Type": "application/json",
        # A request without one is answered 403.
        "User-Agent": "automation",
    }
    if not one:
        # https://resend.com/docs/api-reference/emails/batch-validation-modes
        headers["x-batch-validation"] = "strict"
    return headers if key is None else {**headers, "Idempotency-Key": key}


def _items(body: Any, count: int) -> list[Any]:
    """One per message, in their order; nothing for each where they cannot be told apart."""
    if count == 1:
        return [body]
    data = body.get("data") if isinstance(body, dict) else None
    return data if isinstance(data, list) and len(data) == count else [None] * count


def _accepted(item: Any, answer: Answer) -> Reply:
    found = item.get("id") if isinstance(item, dict) else None
    return classify.accepted(found, answer.status)


def _reply(body: Any, answer: Answer, now: datetime) -> Reply:
    """By status and name together: `validation_error` concerns the message as 400 and the account as 403."""
    found = body if isinstance(body, dict) else {}
    status, name, text = answer.status, str(found.get("name", "")), str(found.get("message", ""))
    if status == 409:  # noqa: PLR2004 (an earlier call has this key, and it may have been taken)
        return Unknown(masked(name) or "http_409", http_status=status)
    if (status, name) in REFUSALS:
        return Refused(name, REFUSALS[status, name], masked(text), http_status=status)
    if status == 429:  # noqa: PLR2004 (RFC 6585)
        wait = classify.longest_wait(answer, now, "retry-after", "ratelimit-reset")
        return Later(wait, "http_429", throttled=True, http_status=status)
    if status in ACCOUNT:
        return Refused(f"http_{status}", "account", masked(text), http_status=status)
    return classify.from_status(answer, now, text)
