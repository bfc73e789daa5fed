"""Sinch SMS: https://developers.sinch.com/docs/sms/api-reference/sms/batches"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Refused, Reply, masked
from automation.delivery.sought import Finding, Found, NotThere, Sought

SERVICE_PLAN = re.compile(r"[0-9A-Za-z_-]{1,64}")
REGION = re.compile(r"us|eu|au|br|ca")
LONGEST_VALIDITY = timedelta(days=3)
CLOCKS = timedelta(seconds=30)  # that theirs and ours may differ
VALIDITY = "validity"
PAGE = 100

# https://developers.sinch.com/docs/sms/api-reference/status-codes
REFUSALS: dict[str, Literal["message", "account"]] = {
    "syntax_invalid_json": "message",
    "syntax_invalid_parameter_format": "message",
    "syntax_constraint_violation": "message",
    "unknown_group": "account",
    "unknown_campaign": "account",
    "missing_callback_url": "account",
}


class Sinch:
    kind = "sinch"
    base_url = "https://{region}.sms.api.sinch.com"
    wants = (
        Want("account", SERVICE_PLAN, "write the id of the service plan", "sandbox"),
        Want("region", REGION, "write where the service plan lives: us, eu, au, br or ca", "us"),
    )
    # A batch has one id for all its recipients, and only a report for each tells them apart.
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None
    # https://developers.sinch.com/docs/sms/api-reference/sms/batches/listbatches.md
    looked_up_for = timedelta(days=14)

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_body(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Sinch takes no key)
        (message,) = messages
        extensions = {} if message.validity is None else {VALIDITY: message.validity}
        content = _body(message, account)
        return httpx.Request("POST", _url(account), headers=_headers(account), content=content, extensions=extensions)

    def signed(self, request: httpx.Request, account: Account, now: datetime) -> httpx.Request:
        """Sinch takes the instant at which a text expires, and that is known when it is posted."""
        validity: timedelta | None = request.extensions.get(VALIDITY)
        # The longest is what holds without the field, and a second more would be refused.
        if validity is None or validity >= LONGEST_VALIDITY - CLOCKS:
            return request
        # An instant that has passed on their clock would be refused, and the text lost.
        content = orjson.dumps({**orjson.loads(request.content), "expire_at": _instant(now + max(validity, CLOCKS))})
        return httpx.Request(request.method, request.url, headers=_headers(account), content=content)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(classify.json_body(answer), answer, now), len(messages))

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        # Without a start only the last 24 hours are searched.
        wanted = {"client_reference": str(sought.message_id), "start_date": _instant(sought.since - CLOCKS)}
        query = {"page": "0", "page_size": str(PAGE), **wanted}
        return httpx.Request("GET", _url(account), params=query, headers=_headers(account))

    def found(self, answer: Answer, sought: Sought) -> Finding:
        body = classify.json_body(answer)
        items = body.get("batches") if isinstance(body, dict) else None
        if answer.status != 200 or not isinstance(items, list):  # noqa: PLR2004 (the only success there is)
            return classify.no_idea(answer)
        ours = (item for item in items if isinstance(item, dict) and _is_ours(item, sought))
        ids = (classify.provider_id(item.get("id")) for item in ours)
        return next((Found(one) for one in ids if one is not None), NotThere())


def _is_ours(item: dict[str, Any], sought: Sought) -> bool:
    """Our id to our recipient: another database behind the same token counts its messages from one too."""
    recipients = item.get("to")
    numbers = {str(one).removeprefix("+") for one in recipients} if isinstance(recipients, list) else set()
    return item.get("client_reference") == str(sought.message_id) and numbers == {sought.recipient.removeprefix("+")}


def _url(account: Account) -> str:
    return f"{account.base_url}/xms/v1/{account.account}/batches"


def _headers(account: Account) -> dict[str, str]:
    return {
        "Accept": "application/json",
        "Authorization": f"Bearer {account.token}",
        "Content-Type": "application/json",
    }


def _body(message: Outgoing, account: Account) -> bytes:
    fields: dict[str, Any] = {
        "from": message.sender,
        "to": [message.recipient],
        "body": message.text,
        "type": "mt_text",
        "client_reference": str(message.message_id),
    }
    if account.callback_url:
        # Reports that have nowhere to go are refused as `missing_callback_url`.
        fields |= {"delivery_report": "per_recipient", "callback_url": account.callback_url}
    return orjson.dumps(fields)


def _instant(moment: datetime) -> str:
    """ISO 8601, in whole seconds rounded down so that nothing leaves after the window."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _reply(body: Any, answer: Answer, now: datetime) -> Reply:
    found, status = body if isinstance(body, dict) else {}, answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return classify.accepted(found.get("id"), status)
    code, text = str(found.get("code", "")), str(found.get("text") or found.get("detail") or "")
    if code in REFUSALS and status in {400, 403}:
        return Refused(code, REFUSALS[code], masked(text), http_status=status)
    return classify.from_status(answer, now, text)
