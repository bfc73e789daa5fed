"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send

One message a call: what a call has in common for all its recipients is the body.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account
from automation.delivery.replies import Answer, Later, Refused, Reply, masked

Scope = Literal["recipient", "message", "account"]

# https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors: whom a field concerns that is told to be wrong.
FIELDS: tuple[tuple[re.Pattern[str], str, Scope], ...] = (
    (re.compile(r"from(\..*)?"), "invalid_sender", "account"),
    (re.compile(r"personalizations\.\d+\.to(\..*)?"), "invalid_recipient", "recipient"),
)
# Of several errors in one answer the widest decides.
WIDTH = ("recipient", "message", "account")
# https://support.sendgrid.com/hc/en-us/articles/18322114821403: 401 is also what an account without credits hears.
ACCOUNT = frozenset({401, 403, 404, 405})
THROTTLED, INVALID = 429, 400
EPOCH = re.compile(r"[0-9]{1,11}")  # seconds; more digits are no date


class SendGrid:
    kind = "sendgrid"
    base_url = "https://api.sendgrid.com"
    wants = ()
    batch_limit = 1
    batch_bytes = 30_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        return len(_body(message))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (SendGrid takes no key)
        (message,) = messages
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {account.token}",
            "Content-Type": "application/json",
        }
        return httpx.Request("POST", f"{account.base_url}/v3/mail/send", headers=headers, content=_body(message))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(answer, now), len(messages))


def _body(message: Outgoing) -> bytes:
    bodies = {"text/plain": message.text, "text/html": message.html}
    # Only these custom arguments are an object in SendGrid's own description; those of the whole call are a text.
    personalization = {
        "to": [{"email": message.recipient}],
        "headers": dict(sorted(message.headers.items())),
        "custom_args": {"mid": str(message.message_id)},
    }
    payload = {
        "personalizations": [personalization],
        "from": _named(message.sender),
        **({"reply_to": _named(message.reply_to)} if message.reply_to else {}),
        "subject": message.subject,
        "content": [{"type": kind, "value": text} for kind, text in bodies.items() if text],
        "categories": [message.tag],
    }
    return orjson.dumps(payload)


def _named(mailbox: str) -> dict[str, str]:
    name, address = classify.mailbox(mailbox)
    return {"email": address, "name": name} if name else {"email": address}


def _reply(answer: Answer, now: datetime) -> Reply:
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return classify.accepted(answer.headers.get("x-message-id"), status)
    errors = list(_errors(classify.json_body(answer)))
    if status == THROTTLED:
        wait = classify.longest_of(classify.retry_after(answer, now), _reset(answer, now))
        return Later(wait, f"http_{status}", throttled=True, http_status=status)
    if status == INVALID and errors:
        return _refused(max(errors, key=lambda error: WIDTH.index(error[1])), status)
    text = errors[0][2] if errors else ""
    if status in ACCOUNT:
        return Refused(f"http_{status}", "account", masked(text), http_status=status)
    return classify.from_status(answer, now, text)


def _errors(body: Any) -> Iterator[tuple[str, Scope, str]]:
    """Reason, scope and words of each."""
    found = body.get("errors") if isinstance(body, dict) else None
    for error in found if isinstance(found, list) else ():
        if isinstance(error, dict):
            reason, scope = _concerned(str(error.get("field")))
            yield reason, scope, str(error.get("message", ""))


def _concerned(field: str) -> tuple[str, Scope]:
    for form, reason, scope in FIELDS:
        if form.fullmatch(field):
            return reason, scope
    return f"http_{INVALID}", "message"


def _refused(error: tuple[str, Scope, str], status: int) -> Refused:
    reason, scope, text = error
    suppress: Literal["bounced_hard"] | None = "bounced_hard" if scope == "recipient" else None
    return Refused(reason, scope, masked(text), suppress, http_status=status)


def _reset(answer: Answer, now: datetime) -> timedelta | None:
    """When the next window of the rate limit begins: a second of the epoch, unlike that of others."""
    text = answer.headers.get("x-ratelimit-reset", "").strip()
    return datetime.fromtimestamp(int(text), UTC) - now if EPOCH.fullmatch(text) else None
