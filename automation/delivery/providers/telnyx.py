"""Telnyx: https://developers.telnyx.com/api-reference/messages/send-a-message"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Later, Refused, Reply, masked

PROFILE_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NUMBER = re.compile(r"\+?[0-9]+")

# https://developers.telnyx.com/docs/messaging/messages/error-codes and
# https://developers.telnyx.com/development/api-fundamentals/api-errors
REFUSALS = {
    "40001": Refused("not_routable", "recipient", "", "bounced_hard"),
    "40012": Refused("invalid_number", "recipient", "", "bounced_hard"),
    "40300": Refused("opted_out", "recipient", "", "unsubscribed"),
    # Whether another sender would reach it is not said.
    **dict.fromkeys(("40301", "40319"), Refused("no_texts_to_number", "recipient", "")),
    "40310": Refused("recipient_not_usable", "recipient", ""),
    **dict.fromkeys(("10015", "40304"), Refused("bad_request", "message", "")),
    "40009": Refused("invalid_body", "message", ""),
    **dict.fromkeys(("40302", "40328"), Refused("body_too_long", "message", "")),
    "40316": Refused("empty_body", "message", ""),
    "40322": Refused("content_blocked", "message", ""),
    **dict.fromkeys(("10009", "20002", "20006"), Refused("bad_credentials", "account", "")),
    "10010": Refused("not_allowed", "account", ""),
    "10039": Refused("trial_account", "account", ""),
    **dict.fromkeys(("20012", "20013", "40314"), Refused("account_not_active", "account", "")),
    **dict.fromkeys(("20014", "20016", "20017"), Refused("account_not_verified", "account", "")),
    "20100": Refused("no_credit", "account", ""),
    **dict.fromkeys(("40010", "40329"), Refused("sender_not_registered", "account", "")),
    **dict.fromkeys(
        ("40013", "40100", "40305", "40306", "40315", "40320"), Refused("sender_not_usable", "account", "")
    ),
    "40309": Refused("region_not_enabled", "account", ""),
    "40312": Refused("profile_disabled", "account", ""),
    "40321": Refused("no_sender", "account", ""),
}
# Too many requests, here or at the carrier; the queue is full.
LATER = frozenset({"10011", "40011", "40318"})
# https://developers.telnyx.com/development/api-fundamentals/reliability/rate-limiting (the second: seconds left)
WAITS = ("retry-after", "x-ratelimit-reset")


class Telnyx:
    """There is no field for how long a text may wait there, so `validity` has no place in the call."""

    kind = "telnyx"
    base_url = "https://api.telnyx.com"
    wants = (Want("messaging_service", PROFILE_ID, "write the id of the messaging profile, a UUID"),)
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_body(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Telnyx takes no key)
        (message,) = messages
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {account.token}",
            "Content-Type": "application/json",
        }
        url = f"{account.base_url}/v2/messages"
        return httpx.Request("POST", url, headers=headers, content=_body(message, account))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(classify.json_body(answer), answer, now), len(messages))


def _body(message: Outgoing, account: Account) -> bytes:
    fields: dict[str, Any] = {
        **_sender(message, account),
        "to": message.recipient,
        "text": message.text,
        "type": "SMS",
        "tags": [message.tag, f"mid={message.message_id}"],
    }
    if account.callback_url:
        fields["webhook_url"] = classify.with_own_id(account.callback_url, message.message_id)
    return orjson.dumps(fields)


def _sender(message: Outgoing, account: Account) -> dict[str, str]:
    """A profile sends from its own numbers; a sender with letters needs to be named besides it."""
    if not account.messaging_service:
        return {"from": message.sender}
    named = {} if NUMBER.fullmatch(message.sender) else {"from": message.sender}
    return {**named, "messaging_profile_id": account.messaging_service}


def _reply(body: Any, answer: Answer, now: datetime) -> Reply:
    found, status = body if isinstance(body, dict) else {}, answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        data = found.get("data")
        return classify.accepted(data.get("id") if isinstance(data, dict) else None, status)
    errors = _errors(found)
    if status == 429 or (400 <= status < 500 and LATER & errors.keys()):  # noqa: PLR2004 (RFC 6585; client errors)
        reason = next((f"telnyx_{code}" for code in errors if code in LATER), "http_429")
        return Later(classify.longest_wait(answer, now, *WAITS), reason, throttled=True, http_status=status)
    known = next((code for code in errors if code in REFUSALS), None)
    # A server error tells nothing for certain, whatever code came with it.
    if known is not None and 400 <= status < 500:  # noqa: PLR2004 (client errors)
        return replace(REFUSALS[known], detail=masked(errors[known]), http_status=status)
    return classify.from_status(answer, now, next(iter(errors.values()), ""))


def _errors(found: dict[str, Any]) -> dict[str, str]:
    """The codes and their words, in the vendor's order."""
    items = found.get("errors")
    errors = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return {str(one.get("code")): f"{one.get('title') or ''}: {one.get('detail') or ''}".strip(": ") for one in errors}
