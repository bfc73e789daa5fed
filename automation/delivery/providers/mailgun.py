"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages

One message a call: a batch has one id for all its recipients, and one bad address refuses it for everybody.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, NamedTuple

import httpx

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Later, Refused, Reply, masked
from automation.delivery.sought import Finding, Found, NotThere, Sought

DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
# What answers with success at addresses that are no part of the API.
ELSEWHERE = b"Mailgun Magnificent API"
# 420 is what 429 looks like where an account on probation has sent enough for now.
THROTTLED = frozenset({420, 429})
AGAIN = re.compile(r"try again after (.+)")
PAGE = 300
CLOCKS = timedelta(seconds=30)  # that theirs and ours may differ


class Refusal(NamedTuple):
    """`words` stand in the answer, which has no codes."""

    words: str
    reason: str
    scope: Literal["recipient", "message", "account"]
    suppress: Literal["bounced_hard"] | None = None


# https://github.com/mailgun/documentation/blob/master/source/api-sending.rst#error-codes
# The service itself puts the parameter's name into quotes, which its documentation does not.
REFUSALS = (
    Refusal("to parameter is not a valid address", "invalid_recipient", "recipient", "bounced_hard"),
    Refusal("'to' parameter is not a valid address", "invalid_recipient", "recipient", "bounced_hard"),
    # The sender is a setting: nothing is wrong with the message.
    Refusal("from parameter is", "invalid_sender", "account"),
    Refusal("'from' parameter is", "invalid_sender", "account"),
    Refusal("is not allowed to send", "not_allowed_to_send", "account"),
    Refusal("can't be used to send", "address_not_usable", "account"),
)


class Mailgun:
    kind = "mailgun"
    base_url = "https://api.mailgun.net"
    wants = (Want("domain", DOMAIN, "write the domain that sends, like mg.example.com", "sandbox.example"),)
    batch_limit = 1
    batch_bytes = 25_000_000
    key_window = None
    # https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events: kept for at least 3 days.
    looked_up_for = timedelta(days=3)

    def size(self, message: Outgoing, account: Account) -> int:
        return len(self.request([message], account, None).content)

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Mailgun takes no key)
        (message,) = messages
        parts = [(name, (None, text.encode())) for name, text in _fields(message)]
        headers = {**_headers(account), "Content-Type": f"multipart/form-data; boundary={_boundary(message)}"}
        request = httpx.Request("POST", _url(account, "messages"), headers=headers, files=parts)
        request.read()
        return request

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(answer, now), len(messages))

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        """By recipient and time: events cannot be searched by a variable, but they tell it."""
        begin = str(int((sought.since - CLOCKS).timestamp()))
        query = {"begin": begin, "ascending": "yes", "limit": str(PAGE), "recipient": sought.recipient}
        return httpx.Request("GET", _url(account, "events"), params=query, headers=_headers(account))

    def found(self, answer: Answer, sought: Sought) -> Finding:
        """Whatever happened to it, Mailgun had it."""
        body = classify.json_body(answer)
        items = body.get("items") if isinstance(body, dict) else None
        if answer.status != 200 or not isinstance(items, list):  # noqa: PLR2004 (the only success there is)
            return classify.no_idea(answer)
        ids = (_id(_header(item)) for item in items if isinstance(item, dict) and _is_ours(item, sought))
        return next((Found(one) for one in ids if one is not None), NotThere())


def _is_ours(item: dict[str, Any], sought: Sought) -> bool:
    """Our id to our recipient: another database behind the same key counts its messages from one too."""
    variables = item.get("user-variables")
    has_id = isinstance(variables, dict) and variables.get("mid") == str(sought.message_id)
    return has_id and str(item.get("recipient")).casefold() == sought.recipient.casefold()


def _header(item: dict[str, Any]) -> Any:
    message = item.get("message")
    headers = message.get("headers") if isinstance(message, dict) else None
    return headers.get("message-id") if isinstance(headers, dict) else None


def _id(value: Any) -> str | None:
    """Without the angle brackets, which stand in answers and not in events."""
    return classify.provider_id(value.strip("<>")) if isinstance(value, str) else None


def _url(account: Account, what: str) -> str:
    return f"{account.base_url}/v3/{account.domain}/{what}"


def _headers(account: Account) -> dict[str, str]:
    secret = b64encode(f"api:{account.token}".encode()).decode()
    return {"Accept": "application/json", "Authorization": f"Basic {secret}"}


def _fields(message: Outgoing) -> Iterable[tuple[str, str]]:
    bodies = {"text": message.text, "html": message.html}
    return (
        ("from", message.sender),
        ("to", message.recipient),
        ("subject", message.subject),
        *((name, text) for name, text in bodies.items() if text),
        *([("h:Reply-To", message.reply_to)] if message.reply_to else []),
        *((f"h:{name}", message.headers[name]) for name in sorted(message.headers)),
        ("o:tag", message.tag),
        ("v:mid", str(message.message_id)),
    )


def _boundary(message: Outgoing) -> str:
    """The same for the same message, and nothing that could stand in it: no text contains its own digest."""
    return sha256(repr(list(_fields(message))).encode()).hexdigest()


def _reply(answer: Answer, now: datetime) -> Reply:
    status, body = answer.status, classify.json_body(answer)
    found = body if isinstance(body, dict) else {}
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        if ELSEWHERE in answer.body:
            return Refused("wrong_address", "account", "", http_status=status)
        return classify.accepted(_id(found.get("id")), status)
    text = str(found.get("message", ""))
    if 400 <= status < 500:  # noqa: PLR2004 (the class of refusals)
        return _refused(text, answer, now)
    return classify.from_status(answer, now, text)


def _refused(text: str, answer: Answer, now: datetime) -> Reply:
    """By its words, where they are known. "Not allowed to send" also begins what is said of too many requests."""
    status, again = answer.status, AGAIN.search(text)
    if status in THROTTLED or again:
        named = classify.until(again[1], now) if again else None
        wait = classify.longest_of(classify.retry_after(answer, now), named)
        return Later(wait, f"http_{status}", throttled=True, http_status=status)
    for words, reason, scope, suppress in REFUSALS:
        if words in text:
            return Refused(reason, scope, masked(text), suppress, http_status=status)
    return classify.from_status(answer, now, text)
