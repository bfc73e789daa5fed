"""Mailjet, Send API 3.1: https://dev.mailjet.com/email/guides/send-api-v31/

What counts is `Messages`: a call with one bad message is answered 4xx although all the others were sent.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Later, Refused, Reply, Unknown, masked
from automation.delivery.sought import Finding, Found, NotThere, Sought

Scope = Literal["recipient", "message", "account"]

PUBLIC_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
# https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors
BAD_ADDRESS, TOO_MANY = "mj-0013", "send-0015"
REFUSALS: dict[str, tuple[str, Scope]] = {
    "send-0003": ("no_content", "message"),
    "send-0004": ("duplicated_content", "message"),
    "send-0006": ("sender_header_not_allowed", "account"),
    **dict.fromkeys(("send-0007", "send-0008"), ("sender_not_authorized", "account")),
    "send-0010": ("template_not_owned", "message"),
    "send-0011": ("forbidden_header", "message"),
    "send-0012": ("no_campaign", "message"),
    "send-0013": ("unknown_category", "message"),
    TOO_MANY: ("too_many_recipients", "message"),
    "send-0016": ("no_template_language", "message"),
    "mj-0001": ("key_suspended", "account"),
    "mj-0002": ("invalid_json", "message"),
    "mj-0003": ("missing_property", "message"),
    "mj-0004": ("wrong_type", "message"),
    "mj-0005": ("value_not_allowed", "message"),
    "mj-0006": ("too_long", "message"),
    "mj-0007": ("empty_array", "message"),
    "mj-0008": ("too_many_elements", "message"),
    "mj-0011": ("too_large", "message"),
    "mj-0012": ("empty_value", "message"),
    BAD_ADDRESS: ("invalid_address", "message"),
    "mj-0015": ("bad_credentials", "account"),
}
# Whom an error concerns that is related to `From.Email` or `To[0].Email`.
RELATED: dict[str, Scope] = {"From": "account", "To": "recipient"}
# Of several errors of one message the widest decides.
WIDTH: tuple[object, ...] = ("recipient", "message", "account", Later, Unknown)
WHOLE = frozenset({401, 404, 405, 413, 415, 429})  # answered before any message is looked at
CLOCKS = timedelta(seconds=30)  # that theirs and ours may differ


class Mailjet:
    kind = "mailjet"
    base_url = "https://api.mailjet.com"
    wants = (Want("account", PUBLIC_KEY, "write the public API key; the private one is the token", "0" * 32),)
    batch_limit = 50
    # No limit for a call is published, only one of 15 MB for what is attached to a message.
    batch_bytes = 10_000_000 - len('{"Messages":[]}')
    key_window = None
    looked_up_for = timedelta(days=7)  # how long messages are kept is not published

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        return len(orjson.dumps(_payload(message))) + 1

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Mailjet takes no key)
        headers = {**_headers(account), "Content-Type": "application/json"}
        content = orjson.dumps({"Messages": [_payload(message) for message in messages]})
        return httpx.Request("POST", f"{account.base_url}/v3.1/send", headers=headers, content=content)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        items = body.get("Messages") if isinstance(body, dict) else None
        if isinstance(items, list) and answer.status < 500:  # noqa: PLR2004 (server errors)
            return _items(items, answer, messages, now)
        return classify.each(_whole(body, answer, len(messages), now), len(messages))

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        since = (sought.since - CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ")
        shown = {"ShowCustomID": "true", "ShowContactAlt": "true"}
        query = {"CustomID": str(sought.message_id), "FromTS": since, "Limit": "100", **shown}
        return httpx.Request("GET", f"{account.base_url}/v3/REST/message", params=query, headers=_headers(account))

    def found(self, answer: Answer, sought: Sought) -> Finding:
        body = classify.json_body(answer)
        items = body.get("Data") if isinstance(body, dict) else None
        if answer.status != 200 or not isinstance(items, list):  # noqa: PLR2004 (the only success there is)
            return classify.no_idea(answer)
        ids = (_id(item.get("ID")) for item in items if isinstance(item, dict) and _is_ours(item, sought))
        return next((Found(one) for one in ids if one is not None), NotThere())


def _is_ours(item: dict[str, Any], sought: Sought) -> bool:
    """Our id to our recipient: another database behind the same key counts its messages from one too."""
    has_id = item.get("CustomID") == str(sought.message_id)
    return has_id and str(item.get("ContactAlt")).casefold() == sought.recipient.casefold()


def _id(value: Any) -> str | None:
    """A number that is larger than most languages can hold, and now and then a text."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return classify.provider_id(str(value) if whole else value)


def _headers(account: Account) -> dict[str, str]:
    secret = b64encode(f"{account.account}:{account.token}".encode()).decode()
    return {"Accept": "application/json", "Authorization": f"Basic {secret}"}


def _payload(message: Outgoing) -> dict[str, Any]:
    bodies = {"TextPart": message.text, "HTMLPart": message.html}
    return {
        "From": _named(message.sender),
        **({"ReplyTo": _named(message.reply_to)} if message.reply_to else {}),
        "To": [{"Email": message.recipient}],
        "Subject": message.subject,
        **{part: text for part, text in bodies.items() if text},
        "Headers": dict(sorted(message.headers.items())),
        "CustomID": str(message.message_id),
        "CustomCampaign": message.tag,
    }


def _named(mailbox: str) -> dict[str, str]:
    name, address = classify.mailbox(mailbox)
    return {"Email": address, "Name": name} if name else {"Email": address}


def _items(items: list[Any], answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
    """One for each message, in their order. Where they cannot be told apart, a 4xx may still have sent some."""
    if len(items) != len(messages) or any(map(_is_about_another, items, messages)):
        return [_unclear(answer)] * len(messages)
    return [_item(item, answer, now) for item in items]


def _is_about_another(item: Any, message: Outgoing) -> bool:
    found = item if isinstance(item, dict) else {}
    ours, to = found.get("CustomID"), _to(found).get("Email")
    if ours:
        return bool(ours != str(message.message_id))
    return isinstance(to, str) and to.casefold() != message.recipient.casefold()


def _to(item: dict[str, Any]) -> dict[str, Any]:
    to = item.get("To")
    return to[0] if isinstance(to, list) and to and isinstance(to[0], dict) else {}


def _unclear(answer: Answer) -> Reply:
    taken = 200 <= answer.status < 300  # noqa: PLR2004 (the class of successes)
    return classify.taken_without_id(answer.status) if taken else Unknown("not_understood", http_status=answer.status)


def _item(item: Any, answer: Answer, now: datetime) -> Reply:
    found = item if isinstance(item, dict) else {}
    if found.get("Status") == "success":
        return classify.accepted(_id(_to(found).get("MessageID")), answer.status)
    if found.get("Status") != "error":
        return _unclear(answer)
    errors: Any = found.get("Errors")
    replies = [_reply(one, answer, now) for one in errors if isinstance(one, dict)] if isinstance(errors, list) else []
    return max(replies, key=_width, default=Unknown("not_understood", http_status=answer.status))


def _width(reply: Reply) -> int:
    return WIDTH.index(reply.scope if isinstance(reply, Refused) else type(reply))


def _whole(body: Any, answer: Answer, count: int, now: datetime) -> Reply:
    """An error of the call itself: nothing was sent. Of a batch that only its lost answer tells of, some may be."""
    if not 400 <= answer.status < 500:  # noqa: PLR2004 (the class of refusals)
        return classify.from_status(answer, now)
    if isinstance(body, dict) and (body.get("ErrorCode") or body.get("ErrorMessage")):
        return _reply(body, answer, now)
    by_proxy = answer.complete and answer.headers.get("content-type", "").startswith("text/")
    if count > 1 and answer.status not in WHOLE and not by_proxy:
        return _unclear(answer)
    return classify.from_status(answer, now)


def _reply(error: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    """By its code where that is known, else by its own status, which need not be that of the call."""
    code, text = str(error.get("ErrorCode")), str(error.get("ErrorMessage", ""))
    status = own if isinstance(own := error.get("StatusCode"), int) else answer.status
    if not 400 <= status < 500:  # noqa: PLR2004 (theirs, or an error that calls itself a success)
        return Unknown(f"http_{status}", http_status=answer.status)
    if code in REFUSALS:
        return _refused(code, error.get("ErrorRelatedTo"), text, answer.status)
    return replace(classify.from_status(replace(answer, status=status), now, text), http_status=answer.status)


def _refused(code: str, related: Any, text: str, status: int) -> Refused:
    reason, scope = REFUSALS[code]
    names = related if isinstance(related, list) and scope == "message" and code != TOO_MANY else []
    roots = {re.split(r"\W", str(name), maxsplit=1)[0] for name in names}
    scope = next((whose for root, whose in RELATED.items() if root in roots), scope)
    suppress: Literal["bounced_hard"] | None = "bounced_hard" if (code, scope) == (BAD_ADDRESS, "recipient") else None
    return Refused(reason, scope, masked(text), suppress, http_status=status)
