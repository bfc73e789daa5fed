"""MessageBird's older API: https://developers.messagebird.com/api/sms-messaging/"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account
from automation.delivery.replies import Answer, Refused, Reply, Unknown, masked

Scope = Literal["recipient", "message", "account"]


class Refusal(NamedTuple):
    reason: str
    scope: Scope


# https://developers.messagebird.com/api/#api-errors
REFUSALS = {
    2: Refusal("not_allowed", "account"),
    9: Refusal("missing_parameter", "message"),
    10: Refusal("invalid_parameter", "message"),
    20: Refusal("not_found", "account"),
    21: Refusal("bad_request", "message"),
    25: Refusal("no_balance", "account"),
    98: Refusal("no_such_api", "account"),
}
INTERNAL = 99
# What is wrong with the one number in it, or with the sender that every message has, is said of the parameter.
PARAMETERS: dict[str, Scope] = {"recipients": "recipient", "originator": "account"}
# Of several errors in one answer the widest decides.
WIDTH = ("recipient", "message", "account")


class MessageBird:
    kind = "messagebird"
    base_url = "https://rest.messagebird.com"
    wants = ()
    # It takes 50 numbers, but one text for all of them.
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_encoded(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (MessageBird takes no key)
        (message,) = messages
        headers = {
            "Accept": "application/json",
            "Authorization": f"AccessKey {account.token}",
            "Content-Type": "application/json",
        }
        url = f"{account.base_url}/messages"
        return httpx.Request("POST", url, headers=headers, content=_encoded(message, account))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        return classify.each(_reply(body if isinstance(body, dict) else {}, answer, now), len(messages))


def _encoded(message: Outgoing, account: Account) -> bytes:
    fields: dict[str, Any] = {
        "originator": message.sender.removeprefix("+"),
        "recipients": [message.recipient.removeprefix("+")],
        "body": message.text,
        "datacoding": "auto",
        "reference": str(message.message_id),
    }
    if message.validity is not None:
        fields["validity"] = max(1, int(message.validity.total_seconds()))
    if account.callback_url:
        fields["reportUrl"] = account.callback_url
    return orjson.dumps(fields)


def _reply(body: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return classify.accepted(body.get("id"), status)
    errors = _errors(body)
    # A server error tells nothing for certain, whatever code came with it.
    if not 400 <= status < 500 or status == 429 or not errors:  # noqa: PLR2004 (the class of refusals, and RFC 6585)
        return classify.from_status(answer, now)
    if any(one.get("code") == INTERNAL for one in errors):
        return Unknown(f"messagebird_{INTERNAL}", http_status=status)
    widest = max(errors, key=lambda one: WIDTH.index(_scope(one)))
    reason = REFUSALS[widest["code"]].reason
    return Refused(reason, _scope(widest), masked(str(widest.get("description", ""))), http_status=status)


def _errors(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Those whose code is known."""
    found = body.get("errors")
    known = {*REFUSALS, INTERNAL}
    return [one for one in found if isinstance(one, dict) and _code(one) in known] if isinstance(found, list) else []


def _code(error: dict[str, Any]) -> int | None:
    code = error.get("code")
    return code if isinstance(code, int) else None


def _scope(error: dict[str, Any]) -> Scope:
    _, scope = REFUSALS[error["code"]]
    return PARAMETERS.get(str(error.get("parameter")), scope) if scope == "message" else scope
