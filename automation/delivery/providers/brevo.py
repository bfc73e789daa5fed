"""Brevo: https://developers.brevo.com/reference/send-transac-email"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from html import escape
from typing import Any, Literal
from uuid import UUID

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account
from automation.delivery.replies import Answer, Later, Refused, Reply, masked

Scope = Literal["message", "account"]

# https://developers.brevo.com/docs/how-it-works
REFUSALS: dict[str, Scope] = {
    "account_under_validation": "account",
    "bad_request": "message",
    "document_not_found": "account",
    "invalid_parameter": "message",
    "method_not_allowed": "account",
    "missing_parameter": "message",
    "not_acceptable": "account",
    "not_enough_credits": "account",
    "out_of_range": "message",
    "permission_denied": "account",
    "unauthorized": "account",
    "unprocessable_entity": "message",
}
# https://developers.brevo.com/docs/heterogenous-versions-batch-emails: the guide has one name, the reference the other.
KEY_USED = frozenset({"duplicate_parameter", "duplicate_request"})
ACCOUNT = frozenset({405, 406})
# Both are required beside the versions. Nobody's words stand there, or they could reach somebody else.
UNUSED = "-"


class Brevo:
    kind = "brevo"
    base_url = "https://api.brevo.com"
    wants = ()
    # https://developers.brevo.com/docs/batch-send-transactional-emails: the reference allows 2000 recipients, the guide
    # 1000 versions.
    batch_limit = 1000
    # No limit for a call is published.
    batch_bytes = 10_000_000
    # Remembered for 30 minutes; the rest is for the way there.
    key_window = timedelta(minutes=25)

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        # A call of its own is longer than the message among others.
        return len(_encoded([message], ""))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:
        headers = {"Accept": "application/json", "Content-Type": "application/json", "api-key": account.token}
        return httpx.Request(
            "POST", f"{account.base_url}/v3/smtp/email", headers=headers, content=_encoded(messages, key)
        )

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        found = body if isinstance(body, dict) else {}
        if 200 <= answer.status < 300:  # noqa: PLR2004 (the class of successes)
            return [classify.accepted(one, answer.status) for one in _ids(found, len(messages))]
        return classify.each(_reply(found, answer, now), len(messages))


def _encoded(messages: Sequence[Outgoing], key: str | None) -> bytes:
    return orjson.dumps(_single(messages[0], key) if len(messages) == 1 else _several(messages, key))


def _single(message: Outgoing, key: str | None) -> dict[str, Any]:
    version = _version(message)
    return {
        "sender": _named(message.sender),
        **version,
        "headers": {**version["headers"], **_key(key)},
        "tags": [message.tag],
    }


def _several(messages: Sequence[Outgoing], key: str | None) -> dict[str, Any]:
    tags = sorted({message.tag for message in messages})
    return {
        "sender": _named(messages[0].sender),
        "subject": UNUSED,
        "htmlContent": UNUSED,
        **({"headers": _key(key)} if key is not None else {}),
        # They are of the whole call: where its messages differ, none is better than a wrong one.
        **({"tags": tags} if len(tags) == 1 else {}),
        "messageVersions": [_version(message) for message in messages],
    }


def _version(message: Outgoing) -> dict[str, Any]:
    return {
        "to": [{"email": message.recipient}],
        "subject": message.subject,
        "htmlContent": message.html or f'<pre style="white-space: pre-wrap">{escape(message.text)}</pre>',
        **({"textContent": message.text} if message.text else {}),
        **({"replyTo": _named(message.reply_to)} if message.reply_to else {}),
        "headers": {**dict(sorted(message.headers.items())), "X-Mailin-custom": str(message.message_id)},
    }


def _named(mailbox: str) -> dict[str, str]:
    name, address = classify.mailbox(mailbox)
    return {"email": address, **({"name": name} if name else {})}


def _key(key: str | None) -> dict[str, str]:
    """It has to look like a random UUID; derived from the key it is the same each time."""
    if key is None:
        return {}
    return {"idempotencyKey": str(UUID(bytes=sha256(key.encode()).digest()[:16], version=4))}


def _ids(body: dict[str, Any], count: int) -> list[Any]:
    """One per message, in their order; nothing for each where they cannot be told apart."""
    ids = [body.get("messageId")] if count == 1 else body.get("messageIds")
    return ids if isinstance(ids, list) and len(ids) == count else [None] * count


def _reply(body: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    status, code, text = answer.status, str(body.get("code", "")), str(body.get("message", ""))
    if status == 429:  # noqa: PLR2004 (RFC 6585)
        # https://developers.brevo.com/docs/limit-headers: seconds left
        wait = classify.longest_wait(answer, now, "retry-after", "x-sib-ratelimit-reset")
        return Later(wait, "http_429", throttled=True, http_status=status)
    if status < 400 or status >= 500:  # noqa: PLR2004 (a server error tells nothing for certain, whatever its code)
        return classify.from_status(answer, now, text)
    if code in KEY_USED:
        # An earlier call had this key, and a key is only ever posted again with the same bytes.
        return classify.taken_without_id(status)
    if code in REFUSALS:
        return Refused(code, _scope(code, text), masked(text), http_status=status)
    if status in ACCOUNT:
        return Refused(f"http_{status}", "account", masked(text), http_status=status)
    return classify.from_status(answer, now, text)


def _scope(code: str, text: str) -> Scope:
    # A sender that is not verified is refused as a parameter, with each message: it must not eat a day.
    return "account" if "sender" in text.casefold() else REFUSALS[code]
