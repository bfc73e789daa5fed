"""Amazon SES, version 2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from typing import Any

import httpx
import orjson
from email_validator import EmailNotValidError, validate_email

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import aws, classify
from automation.delivery.providers.adapter import Account
from automation.delivery.providers.aws import Error, Refusal
from automation.delivery.replies import Answer, Reply

# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
REFUSALS = {
    "AccountSuspendedException": Refusal("account_suspended", "account"),
    "BadRequestException": Refusal("bad_request", "message"),
    "LimitExceededException": Refusal("limit_exceeded", "account"),
    "MailFromDomainNotVerifiedException": Refusal("mail_from_domain_not_verified", "account"),
    "MessageRejected": Refusal("message_rejected", "message"),
    "NotFoundException": Refusal("not_found", "account"),
    "SendingPausedException": Refusal("sending_paused", "account"),
}
# https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html
NOT_VERIFIED = "not verified"
# https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
QUOTA = "daily message quota exceeded"


class Ses:
    kind = "ses"
    base_url = "https://email.{region}.amazonaws.com"
    wants = aws.WANTS
    batch_limit = 1
    batch_bytes = 10_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_body(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (SES takes no key)
        (message,) = messages
        url = f"{account.base_url}/v2/email/outbound-emails"
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        return httpx.Request("POST", url, headers=headers, content=_body(message, account))

    def signed(self, request: httpx.Request, account: Account, now: datetime) -> httpx.Request:
        return aws.signed(request, account, "ses", now)

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(answer, now), len(messages))


def _body(message: Outgoing, account: Account) -> bytes:
    payload = {
        "FromEmailAddress": _sender(message.sender),
        **({"ReplyToAddresses": [_sender(message.reply_to)]} if message.reply_to else {}),
        "Destination": {"ToAddresses": [_address(message.recipient)]},
        "Content": {"Simple": _content(message)},
        "EmailTags": [{"Name": "mid", "Value": str(message.message_id)}, {"Name": "tag", "Value": message.tag}],
    }
    if account.configuration_set:
        payload["ConfigurationSetName"] = account.configuration_set
    return orjson.dumps(payload)


def _content(message: Outgoing) -> dict[str, Any]:
    bodies = {"Text": message.text, "Html": message.html}
    headers = [{"Name": name, "Value": _words(message.headers[name])} for name in sorted(message.headers)]
    return {
        "Subject": _text(message.subject),
        "Body": {name: _text(text) for name, text in bodies.items() if text},
        **({"Headers": headers} if headers else {}),
    }


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _sender(sender: str) -> str:
    """`Name <address>`; SES takes nothing but ASCII in it."""
    if sender.isascii():
        return sender
    name, address = classify.mailbox(sender)
    return f"{_words(name)} <{_address(address)}>" if name else _address(address)


def _words(text: str) -> str:
    """As RFC 2047 writes in ASCII what is not."""
    return text if text.isascii() else Header(text, "utf-8").encode(linesep="")


def _address(address: str) -> str:
    """With the domain in Punycode. A local part beyond ASCII stays as it is, for SES to refuse."""
    if address.isascii():
        return address
    try:
        return validate_email(address, check_deliverability=False, test_environment=True).ascii_email or address
    except EmailNotValidError:
        return address


def _reply(answer: Answer, now: datetime) -> Reply:
    if 200 <= answer.status < 300:  # noqa: PLR2004 (the class of successes)
        body = classify.json_body(answer)
        return classify.accepted(body.get("MessageId") if isinstance(body, dict) else None, answer.status)
    error = aws.error_of(answer)
    return aws.reply(error, answer, now, _refusals(error))


def _refusals(error: Error) -> dict[str, Refusal]:
    """What the words tell, where they tell more than the name."""
    text = error.text.lower()
    if error.name in aws.THROTTLED and QUOTA in text:
        return {error.name: Refusal("daily_quota_exceeded", "account")}
    if error.name == "MessageRejected" and NOT_VERIFIED in text:
        return {error.name: Refusal("sender_not_verified", "account")}
    return REFUSALS
