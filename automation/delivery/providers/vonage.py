"""Vonage, Messages API: https://developer.vonage.com/en/api/messages"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Later, Refused, Reply, Unknown, masked


class Refusal(NamedTuple):
    reason: str
    scope: Literal["recipient", "message", "account"]
    suppress: Literal["unsubscribed", "bounced_hard"] | None = None


# https://developer.vonage.com/en/api-errors/messages and https://developer.vonage.com/en/api-errors: the end of `type`
REFUSALS = {
    "1010": Refusal("missing_parameter", "message"),
    "1020": Refusal("invalid_parameter", "message"),
    "1021": Refusal("invalid_tag", "message"),
    "1022": Refusal("invalid_template", "message"),
    "1040": Refusal("invalid_message", "message"),
    # Nothing tells whether it was the person or somebody else who barred it.
    "1050": Refusal("number_barred", "recipient"),
    "1060": Refusal("account_barred", "account"),
    "1070": Refusal("quota_exceeded", "account"),
    "1080": Refusal("account_not_enabled", "account"),
    "1090": Refusal("message_too_long", "message"),
    "1110": Refusal("invalid_signature", "account"),
    "1120": Refusal("illegal_sender", "account"),
    "1130": Refusal("invalid_ttl", "message"),
    "1140": Refusal("facility_not_allowed", "account"),
    "1150": Refusal("invalid_class", "message"),
    "1160": Refusal("not_in_trial_list", "account"),
    "1170": Refusal("invalid_number", "recipient", "bounced_hard"),
    "1190": Refusal("absent_for_ever", "recipient", "bounced_hard"),
    "1240": Refusal("opted_out", "recipient", "unsubscribed"),
    "account-suspended": Refusal("account_suspended", "account"),
    "forbidden": Refusal("forbidden", "account"),
    "invalid-api-key": Refusal("invalid_api_key", "account"),
    "low-balance": Refusal("low_balance", "account"),
    "not-found": Refusal("not_found", "account"),
    "unauthorized": Refusal("unauthorized", "account"),
    "unprovisioned": Refusal("unprovisioned", "account"),
}
THROTTLED = "1000"
UNCERTAIN = frozenset({"1030", "1100"})
# https://developer.vonage.com/en/api/sms says so in milliseconds, of the same queue.
SHORTEST, LONGEST = timedelta(seconds=20), timedelta(days=7)


class Vonage:
    kind = "vonage"
    base_url = "https://api.nexmo.com"
    wants = (Want("account", re.compile(r"[0-9A-Za-z]{4,64}"), "write the API key, letters and digits", "00000000"),)
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_encoded(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Vonage takes no key)
        (message,) = messages
        secret = b64encode(f"{account.account}:{account.token}".encode()).decode()
        headers = {
            "Accept": "application/json",
            "Authorization": f"Basic {secret}",
            "Content-Type": "application/json",
        }
        url = f"{account.base_url}/v1/messages"
        return httpx.Request("POST", url, headers=headers, content=_encoded(message, account))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        return classify.each(_reply(body if isinstance(body, dict) else {}, answer, now), len(messages))


def _encoded(message: Outgoing, account: Account) -> bytes:
    fields: dict[str, Any] = {
        "message_type": "text",
        "channel": "sms",
        "from": message.sender.removeprefix("+"),
        "to": message.recipient.removeprefix("+"),
        "text": message.text,
        "client_ref": str(message.message_id),
    }
    if message.validity is not None:
        fields["ttl"] = int(max(SHORTEST, min(message.validity, LONGEST)).total_seconds())
    if account.callback_url:
        fields |= {"webhook_url": account.callback_url, "webhook_version": "v1"}
    return orjson.dumps(fields)


def _reply(body: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return classify.accepted(body.get("message_uuid"), status)
    code, text = str(body.get("type", "")).rpartition("#")[2], str(body.get("detail") or body.get("title") or "")
    # A server error tells nothing for certain, whatever code came with it.
    if not 400 <= status < 500:  # noqa: PLR2004 (the class of refusals)
        return classify.from_status(answer, now, text)
    if code == THROTTLED:
        return Later(classify.retry_after(answer, now), f"vonage_{code}", throttled=True, http_status=status)
    if code in UNCERTAIN:
        return Unknown(f"vonage_{code}", http_status=status)
    if code in REFUSALS and status != 429:  # noqa: PLR2004 (RFC 6585)
        reason, scope, suppress = REFUSALS[code]
        return Refused(reason, scope, masked(text), suppress, http_status=status)
    return classify.from_status(answer, now, text)
