"""AWS End User Messaging SMS: https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import aws, classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.providers.aws import Error, Refusal
from automation.delivery.replies import Answer, Reply

SHORTEST_VALIDITY, LONGEST_VALIDITY = timedelta(seconds=5), timedelta(seconds=259_200)
HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "PinpointSMSVoiceV2.SendTextMessage",
}

# https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html#API_SendTextMessage_Errors
REFUSALS = {
    "ConflictException": Refusal("conflict", "message"),
    "ResourceNotFoundException": Refusal("not_found", "account"),
    "ServiceQuotaExceededException": Refusal("quota_exceeded", "account"),
    "ValidationException": Refusal("invalid_request", "message"),
}
# https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_ConflictException.html
# https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_ValidationException.html
REASONS = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": Refusal("opted_out", "recipient", "unsubscribed"),
    "DESTINATION_COUNTRY_BLOCKED": Refusal("country_blocked", "recipient"),
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": Refusal("country_blocked", "recipient"),
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": Refusal("number_blocked", "recipient"),
    # In its sandbox an account writes only to numbers that it has verified.
    "DESTINATION_PHONE_NUMBER_NOT_VERIFIED": Refusal("trial_account", "account"),
    "MESSAGE_TYPE_MISMATCH": Refusal("sender_not_usable", "account"),
    "NUMBER_CAPABILITIES_MISMATCH": Refusal("sender_not_usable", "account"),
    "REGISTRATION_NOT_COMPLETE": Refusal("sender_not_registered", "account"),
    "RESOURCE_NOT_ACTIVE": Refusal("sender_not_active", "account"),
}


class AwsSms:
    kind = "aws_sms"
    base_url = "https://sms-voice.{region}.amazonaws.com"
    wants = (
        *aws.WANTS,
        Want("messaging_service", re.compile(r"[A-Za-z0-9_:/+-]{1,256}"), "write the ID or ARN of a pool of senders"),
    )
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_body(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (AWS takes no key here)
        (message,) = messages
        return httpx.Request("POST", f"{account.base_url}/", headers=HEADERS, content=_body(message, account))

    def signed(self, request: httpx.Request, account: Account, now: datetime) -> httpx.Request:
        return aws.signed(request, account, "sms-voice", now)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(answer, now), len(messages))


def _body(message: Outgoing, account: Account) -> bytes:
    payload: dict[str, Any] = {
        "DestinationPhoneNumber": message.recipient,
        "OriginationIdentity": account.messaging_service or message.sender,
        "MessageBody": message.text,
        "MessageType": "PROMOTIONAL" if message.kind == "marketing" else "TRANSACTIONAL",
        "Context": {"mid": str(message.message_id), "tag": message.tag},
    }
    if account.configuration_set:
        payload["ConfigurationSetName"] = account.configuration_set
    if message.validity is not None:
        payload["TimeToLive"] = _validity(message.validity)
    return orjson.dumps(payload)


def _validity(wanted: timedelta) -> int:
    """Whole seconds, rounded down so that nothing leaves after the window."""
    return int(max(SHORTEST_VALIDITY, min(wanted, LONGEST_VALIDITY)).total_seconds())


def _reply(answer: Answer, now: datetime) -> Reply:
    if 200 <= answer.status < 300:  # noqa: PLR2004 (the class of successes)
        body = classify.json_body(answer)
        return classify.accepted(body.get("MessageId") if isinstance(body, dict) else None, answer.status)
    error = aws.error_of(answer)
    return aws.reply(error, answer, now, _refusals(error))


def _refusals(error: Error) -> dict[str, Refusal]:
    """What the reason tells, where it tells more than the name."""
    told = error.name in REFUSALS and error.why in REASONS
    return {error.name: REASONS[error.why]} if told else REFUSALS
