"""MessageBird's older side, strict: https://developers.messagebird.com/api/sms-messaging/"""

import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.texting import INVALID, Flaw, Line, Number, Part, WebAddress
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "messagebird"
NOT_ALLOWED, MISSING, WRONG, NOT_FOUND, INTERNAL = 2, 9, 10, 20, 99
CODES = {401: NOT_ALLOWED, 403: NOT_ALLOWED, 404: NOT_FOUND, 422: WRONG}


class Message(Part):
    """For one number: several would have one id, and the mailbox has a line for each."""

    originator: Annotated[str, Field(pattern=r"^([0-9]{3,17}|[A-Za-z0-9 ]{1,11})$")]
    recipients: Annotated[list[Number], Field(min_length=1, max_length=1)]
    body: Annotated[str, Field(min_length=1, max_length=1377)]
    type: Literal["sms", "flash"] = "sms"
    reference: Annotated[Line, Field(max_length=255)] = ""
    report_url: WebAddress = Field("", alias="reportUrl")
    validity: Annotated[int, Field(ge=1)] = 172_800
    gateway: int = 0
    type_details: dict[str, Any] = Field(default_factory=dict, alias="typeDetails")
    datacoding: Literal["plain", "unicode", "auto"] = "plain"
    mclass: Literal[0, 1, 2, 3] = 1


REST = {"originator", "recipients", "body"}


def send(post: Post) -> Result:
    """POST /messages"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    (number,) = message.recipients
    if texting.e164(number) == INVALID:
        return _error(422, MISSING, "no (correct) recipients found", "recipients")
    one = texting.taken(
        post,
        KIND,
        uuid.uuid4().hex,
        message.originator,
        number,
        message.body,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        message.reference,
    )
    return Result(201, _resource(one, message), (one,))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(CODES.get(status, INTERNAL), f"The sandbox was told to answer {status}.", None)


def _unfit(post: Post) -> Result | None:
    if not texting.credential(post, "AccessKey"):
        return _error(401, NOT_ALLOWED, "Request not allowed (incorrect access_key)", "access_key")
    if not texting.is_json(post):
        return _error(422, WRONG, f"Content-Type must be {texting.JSON_TYPE}.", None)
    return None


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error(422, WRONG, "The body is no JSON.", None)
    field = flaw.where.partition(".")[0]
    return _error(422, MISSING if flaw.is_missing else WRONG, f"{field}: {flaw.words}", field)


def _resource(one: Taken, message: Message) -> dict[str, Any]:
    to = {"recipient": int(one.recipient), "status": "sent", "statusDatetime": one.at, "messagePartCount": 1}
    counts = {"totalCount": 1, "totalSentCount": 1, "totalDeliveredCount": 0, "totalDeliveryFailedCount": 0}
    return {
        "id": one.provider_id,
        "href": f"https://rest.messagebird.com/messages/{one.provider_id}",
        "direction": "mt",
        "type": message.type,
        "originator": one.sender,
        "body": one.text,
        "reference": message.reference or None,
        "validity": message.validity,
        "gateway": message.gateway,
        "typeDetails": message.type_details,
        "datacoding": message.datacoding,
        "mclass": message.mclass,
        "scheduledDatetime": None,
        "createdDatetime": one.at,
        "recipients": {**counts, "items": [to]},
    }


def _error(status: int, code: int, description: str, parameter: str | None) -> Result:
    return Result(status, _body(code, description, parameter))


def _body(code: int, description: str, parameter: str | None) -> dict[str, Any]:
    return {"errors": [{"code": code, "description": description, "parameter": parameter}]}


VENDOR = Vendor(KIND, {"/messages": send}, refusal)
