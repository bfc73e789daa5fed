"""Plivo: https://docs.plivo.com/docs/messaging/api/message/send-a-message"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Refused, Reply, masked

SANDBOX_ID = "MA" + "0" * 18
AUTH_ID = re.compile(r"(MA|SA)[0-9A-Za-z]{18}")
POWERPACK = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# https://support.plivo.com/hc/en-us/articles/14814454609561-Message-Expiry
SHORTEST_VALIDITY, LONGEST_VALIDITY = timedelta(seconds=5), timedelta(seconds=10_799)
CONFLICT = 409
# https://support.plivo.com/support/solutions/articles/17000088423
NO_CREDIT = "insufficient credit"


class Plivo:
    kind = "plivo"
    base_url = "https://api.plivo.com"
    wants = (
        Want("account", AUTH_ID, 'write the auth id, "MA" or "SA" and 18 letters or digits', SANDBOX_ID),
        Want("messaging_service", POWERPACK, "write the UUID of the Powerpack"),
    )
    # A call takes many numbers, but one text for all of them.
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_body(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Plivo takes no key)
        (message,) = messages
        secret = b64encode(f"{account.account}:{account.token}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {secret}",
            "Content-Type": "application/json",
        }
        url = f"{account.base_url}/v1/Account/{account.account}/Message/"
        return httpx.Request("POST", url, headers=headers, content=_body(message, account))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(classify.json_body(answer), answer, now), len(messages))


def _body(message: Outgoing, account: Account) -> bytes:
    """Numbers go without the plus sign there."""
    fields: dict[str, Any] = {"dst": message.recipient.removeprefix("+"), "text": message.text, "type": "sms"}
    if account.messaging_service:
        fields["powerpack_uuid"] = account.messaging_service
    else:
        fields["src"] = message.sender.removeprefix("+")
    if account.callback_url:
        fields["url"] = classify.with_own_id(account.callback_url, message.message_id)
        fields["method"] = "POST"
    if message.validity is not None:
        fields["message_expiry"] = _expiry(message.validity)
    return orjson.dumps(fields)


def _expiry(wanted: timedelta) -> int:
    """Whole seconds, rounded down so that nothing leaves after the window."""
    return int(max(SHORTEST_VALIDITY, min(wanted, LONGEST_VALIDITY)).total_seconds())


def _reply(body: Any, answer: Answer, now: datetime) -> Reply:
    found, status = body if isinstance(body, dict) else {}, answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return _taken(found, status)
    text = str(found.get("error", ""))
    if 400 <= status < 500 and NO_CREDIT in text.casefold():  # noqa: PLR2004 (client errors)
        return Refused("no_credit", "account", masked(text), http_status=status)
    # Plivo has no keys, so nothing is under way: its own libraries raise it as an invalid request.
    if status == CONFLICT:
        return Refused("http_409", "message", masked(text), http_status=status)
    return classify.from_status(answer, now, text)


def _taken(found: dict[str, Any], status: int) -> Reply:
    """A number that is none is left out of a call that succeeds; without an id for it, it was left out."""
    ids = found.get("message_uuid")
    if ids == [] and found.get("invalid_number"):
        return Refused("invalid_number", "recipient", "", "bounced_hard", http_status=status)
    return classify.accepted(ids[0] if isinstance(ids, list) and ids else ids, status)
