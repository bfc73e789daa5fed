"""Postmark: https://postmarkapp.com/developer/api/email-api"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account
from automation.delivery.replies import Answer, Later, Refused, Reply, masked
from automation.delivery.sought import Finding, Found, NotThere, Sought

Scope = Literal["recipient", "message", "account"]

# https://postmarkapp.com/developer/api/overview#error-codes
BAD_TOKEN, SEVERAL, MAINTENANCE, INVALID, INACTIVE, THROTTLED = 10, 11, 100, 300, 406, 429
REFUSALS: dict[int, tuple[str, Scope]] = {
    BAD_TOKEN: ("bad_token", "account"),
    INVALID: ("invalid_request", "message"),
    400: ("sender_not_found", "account"),
    401: ("sender_not_confirmed", "account"),
    402: ("invalid_json", "message"),
    403: ("incompatible_json", "message"),
    405: ("not_allowed_to_send", "account"),
    INACTIVE: ("inactive_recipient", "recipient"),
    409: ("json_required", "message"),
    410: ("too_many_in_batch", "message"),
    411: ("forbidden_attachment", "message"),
    412: ("account_pending", "account"),
    413: ("account_may_not_send", "account"),
}
# Of several errors in one answer the widest decides.
WIDTH = ("recipient", "message", "account")


class Postmark:
    kind = "postmark"
    base_url = "https://api.postmarkapp.com"
    wants = ()
    batch_limit = 500
    batch_bytes = 50_000_000
    key_window = None
    # https://postmarkapp.com/developer/api/messages-api: kept for 45 days, unless the account has another agreement.
    looked_up_for = timedelta(days=45)

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_encoded(_payload(message, account))) + 1

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Postmark takes no key)
        payloads = [_payload(message, account) for message in messages]
        one = len(payloads) == 1
        headers = {**_headers(account), "Content-Type": "application/json"}
        url = account.base_url + ("/email" if one else "/email/batch")
        return httpx.Request("POST", url, headers=headers, content=_encoded(payloads[0] if one else payloads))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        if answer.status == 200 and len(messages) > 1:  # noqa: PLR2004 (the only success there is)
            return _batch(body, answer, messages, now)
        if len(messages) == 1:
            return [_reply(body, answer, messages[0], now)]
        return classify.each(_whole(body, answer, now), len(messages))

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        # Without a stream only the transactional one is searched.
        wanted = {"metadata_mid": str(sought.message_id), "messagestream": _stream(sought.kind, account)}
        query = {"count": "50", "offset": "0", **wanted}
        return httpx.Request("GET", f"{account.base_url}/messages/outbound", params=query, headers=_headers(account))

    def found(self, answer: Answer, sought: Sought) -> Finding:
        body = classify.json_body(answer)
        items = body.get("Messages") if isinstance(body, dict) else None
        if answer.status != 200 or not isinstance(items, list):  # noqa: PLR2004 (the only success there is)
            return classify.no_idea(answer)
        ours = (item for item in items if isinstance(item, dict) and _is_ours(item, sought))
        ids = (classify.provider_id(item.get("MessageID")) for item in ours)
        return next((Found(one) for one in ids if one is not None), NotThere())


def _is_ours(item: dict[str, Any], sought: Sought) -> bool:
    """Our id to our recipient: another database behind the same token counts its messages from one too."""
    metadata, recipients = item.get("Metadata"), item.get("Recipients")
    has_id = isinstance(metadata, dict) and metadata.get("mid") == str(sought.message_id)
    to_them = isinstance(recipients, list) and sought.recipient.casefold() in (
        str(one).casefold() for one in recipients
    )
    return has_id and to_them


def _headers(account: Account) -> dict[str, str]:
    return {"Accept": "application/json", "X-Postmark-Server-Token": account.token}


def _stream(kind: str, account: Account) -> str:
    return (account.stream or "broadcast") if kind == "marketing" else "outbound"


def _payload(message: Outgoing, account: Account) -> dict[str, Any]:
    bodies = {"HtmlBody": message.html, "TextBody": message.text}
    return {
        "From": message.sender,
        "To": message.recipient,
        "Subject": message.subject,
        **{name: text for name, text in bodies.items() if text},
        **({"ReplyTo": message.reply_to} if message.reply_to else {}),
        "Tag": message.tag,
        "Headers": [{"Name": name, "Value": message.headers[name]} for name in sorted(message.headers)],
        "Metadata": {"mid": str(message.message_id)},
        "MessageStream": _stream(message.kind, account),
    }


def _encoded(payload: Any) -> bytes:
    return orjson.dumps(payload)


def _batch(body: Any, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
    """An array in request order. HTTP 200 means taken: what cannot be matched to its message is taken without an id."""
    if not isinstance(body, list) or len(body) != len(messages):
        return classify.each(classify.taken_without_id(answer.status), len(messages))
    return [_reply(item, answer, message, now) for item, message in zip(body, messages, strict=True)]


def _reply(item: Any, answer: Answer, message: Outgoing, now: datetime) -> Reply:
    if not isinstance(item, dict) or _about_another(item, message):
        return _whole(None, answer, now)
    if answer.status == 200 and not item.get("ErrorCode"):  # noqa: PLR2004 (a 500 may carry ErrorCode 0)
        return _accepted(item, answer, message)
    return _whole(item, answer, now)


def _about_another(item: dict[str, Any], message: Outgoing) -> bool:
    to = item.get("To")
    return isinstance(to, str) and bool(to) and message.recipient.casefold() not in to.casefold()


def _accepted(item: dict[str, Any], answer: Answer, message: Outgoing) -> Reply:
    text = str(item.get("Message", ""))
    if "inactive addresses" in text and message.recipient.casefold() in text.casefold():
        return _refused(INACTIVE, text, answer.status)
    return classify.accepted(item.get("MessageID"), answer.status)


def _whole(body: Any, answer: Answer, now: datetime) -> Reply:
    """By ErrorCode where there is one, never by a same-looking HTTP number; else by the status."""
    code, text = _error(body)
    if code in {MAINTENANCE, THROTTLED} or answer.status == 503:  # noqa: PLR2004 (documented as maintenance)
        wait = classify.retry_after(answer, now)
        return Later(wait, f"postmark_{code or answer.status}", throttled=True, http_status=answer.status)
    # A server error tells nothing for certain, whatever code a half-broken service put into it.
    if code in REFUSALS and answer.status < 500:  # noqa: PLR2004 (server errors)
        return _refused(code, text, answer.status)
    if code and answer.status == 200:  # noqa: PLR2004 (an error this table does not know, inside a batch)
        return Refused(f"postmark_{code}", "message", masked(text), http_status=answer.status)
    return classify.from_status(answer, now, text)


def _error(body: Any) -> tuple[int, str]:
    """ErrorCode and words; of several the one that concerns most."""
    if not isinstance(body, dict) or not isinstance(body.get("ErrorCode"), int):
        return 0, ""
    inner = body.get("Errors")
    if body["ErrorCode"] != SEVERAL or not isinstance(inner, list):
        return body["ErrorCode"], str(body.get("Message", ""))
    found = [_error(one) for one in inner if isinstance(one, dict) and one.get("ErrorCode") != SEVERAL]
    return max(found, key=_width, default=(SEVERAL, str(body.get("Message", ""))))


def _width(error: tuple[int, str]) -> int:
    code, text = error
    return WIDTH.index(_scope(code, text)) if code in REFUSALS else -1


def _scope(code: int, text: str) -> Scope:
    return "recipient" if code == INVALID and "'To'" in text else REFUSALS[code][1]


def _refused(code: int, text: str, status: int) -> Refused:
    scope = _scope(code, text)
    # Postmark does not say whether an inactive address bounced, complained or was blocked by hand: no more mail there.
    suppress: Literal["bounced_hard"] | None = "bounced_hard" if scope == "recipient" else None
    reason = "invalid_recipient" if code == INVALID and scope == "recipient" else REFUSALS[code][0]
    return Refused(reason, scope, masked(text), suppress, http_status=status)
