"""AWS End User Messaging's side, refusing also what it would ignore.

https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html
"""

import uuid
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from automation.delivery.sandbox.exchange import Post, Result, media_type
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.sigv4 import unsigned
from automation.delivery.sandbox.vendors.texting import INVALID, OPTED_OUT, Flaw, Line, Number, Part
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "aws_sms"
SERVICE, TARGET = "sms-voice", "PinpointSMSVoiceV2.SendTextMessage"
JSON_TYPE = "application/x-amz-json-1.0"
Named = Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/-]{1,256}$")]
Value = Annotated[str, Field(min_length=1, max_length=800, pattern=r"(?s)^\S(.*\S)?$")]
ERRORS = {
    401: "AccessDeniedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
    503: "ServiceUnavailableException",
}


class Message(Part):
    """The members as the service's own model has them."""

    model_config = ConfigDict(alias_generator=to_pascal)

    destination_phone_number: Number
    origination_identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:/+-]{1,256}$")]
    message_body: Annotated[str, Field(min_length=1, max_length=1600, pattern=r"\S")]
    message_type: Literal["TRANSACTIONAL", "PROMOTIONAL"] = "TRANSACTIONAL"
    keyword: Annotated[Line, Field(max_length=30)] = ""
    configuration_set_name: Named = ""
    max_price: Annotated[str, Field(pattern=r"^[0-9]{0,2}\.[0-9]{1,5}$")] = ""
    time_to_live: Annotated[int, Field(ge=5, le=259_200)] = 259_200
    context: Annotated[
        dict[Annotated[str, Field(pattern=r"^\S{1,100}$")], Value], Field(max_length=5, default_factory=dict)
    ]
    destination_country_parameters: dict[Literal["IN_TEMPLATE_ID", "IN_ENTITY_ID"], str] = Field(default_factory=dict)
    dry_run: bool = False
    protect_configuration_id: Named = ""
    message_feedback_enabled: bool = False


REST = {"destination_phone_number", "origination_identity", "message_body"}


def send(post: Post) -> Result:
    """POST / with X-Amz-Target: PinpointSMSVoiceV2.SendTextMessage"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    number = texting.e164(message.destination_phone_number)
    if number == INVALID:
        return _error("ValidationException", "The phone number is invalid.", Reason="INVALID_PARAMETER")
    if number == OPTED_OUT:
        text = "The phone number has opted out."
        return _error("ConflictException", text, Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT")
    one = texting.taken(
        post,
        KIND,
        str(uuid.uuid4()),
        message.origination_identity,
        number,
        message.message_body,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        message.context.get("mid", ""),
        message.context.get("tag", ""),
    )
    taken = () if message.dry_run else (one,)
    return Result(200, {"MessageId": one.provider_id}, taken, headers={"content-type": JSON_TYPE})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    name = ERRORS.get(status, "ValidationException")
    return {"__type": name, "Message": f"The sandbox was told to answer {status}."}


def _unfit(post: Post) -> Result | None:
    wrong = unsigned(post, SERVICE)
    if wrong:
        return _error(*wrong)
    if media_type(post) != JSON_TYPE:
        return _error("UnknownOperationException", f"Content-Type must be {JSON_TYPE}.")
    if post.headers.get("x-amz-target") != TARGET:
        return _error("UnknownOperationException", f"The sandbox knows {TARGET} only.")
    return None


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error("SerializationException", "The body is no JSON.")
    reason = "MISSING_PARAMETER" if flaw.is_missing else "FIELD_VALIDATION_FAILED"
    fields = [{"Name": flaw.where, "Message": flaw.words}]
    return _error("ValidationException", f"{flaw.where}: {flaw.words}", Reason=reason, Fields=fields)


def _error(name: str, message: str, **more: Any) -> Result:
    return Result(400, {"__type": name, "Message": message, **more}, headers={"content-type": JSON_TYPE})


VENDOR = Vendor(KIND, {"/": send}, refusal)
