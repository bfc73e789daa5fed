"""Vonage's side, Messages API: https://developer.vonage.com/en/api/messages, refusing also what it would ignore."""

import re
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.mails import basic
from automation.delivery.sandbox.vendors.texting import INVALID, Flaw, Line, Part, WebAddress
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "vonage"
PAGE = "https://developer.vonage.com/api-errors"
PROBLEM = "application/problem+json"
JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# https://developer.vonage.com/en/api-errors/messages
INVALID_PARAMETER, INVALID_NUMBER, MISSING = "/messages#1020", "/messages#1170", "/messages#1010"
TYPES = {401: "#unauthorized", 402: "#low-balance", 403: "#forbidden", 404: "#not-found", 429: "/messages#1000"}


class ForTexts(Part):
    encoding_type: Literal["text", "unicode", "auto"] = "auto"
    content_id: str = ""
    entity_id: str = ""
    pool_id: str = ""


class Message(Part):
    message_type: Literal["text"]
    channel: Literal["sms"]
    sender: Annotated[str, Field(pattern=r"^([0-9]{3,15}|[A-Za-z0-9 ]{1,11})$")] = Field(alias="from")
    to: Annotated[str, Field(pattern=r"^[1-9][0-9]{6,14}$")]
    text: Annotated[str, Field(min_length=1, max_length=1000)]
    client_ref: Annotated[Line, Field(max_length=100)] = ""
    ttl: Annotated[int, Field(ge=20, le=604_800)] = 259_200
    webhook_url: WebAddress = ""
    webhook_version: Literal["v0.1", "v1"] = "v1"
    trusted_recipient: bool = False
    sms: ForTexts = ForTexts()


REST = {"sender", "to", "text"}


def send(post: Post) -> Result:
    """POST /v1/messages"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    if texting.e164(message.to) == INVALID:
        return _error(422, INVALID_NUMBER, "Invalid or Missing Msisdn Param")
    one = texting.taken(
        post,
        KIND,
        str(uuid.uuid4()),
        message.sender,
        message.to,
        message.text,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        message.client_ref,
    )
    return Result(202, {"message_uuid": one.provider_id}, (one,))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(TYPES.get(status, "#internal-error"), f"The sandbox was told to answer {status}.")


def _unfit(post: Post) -> Result | None:
    if not all(basic(post)) and not JWT.fullmatch(texting.credential(post, "bearer")):
        return _error(401, TYPES[401], "You did not provide correct credentials.")
    if not texting.is_json(post):
        return _error(415, "#unsupported-media-type", f"Content-Type must be {texting.JSON_TYPE}.")
    return None


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error(400, "#invalid-json", "The request body did not contain valid JSON.")
    named = {"invalid_parameters": [{"name": flaw.where, "reason": flaw.words}]}
    return _error(422, MISSING if flaw.is_missing else INVALID_PARAMETER, f"{flaw.where}: {flaw.words}", **named)


def _error(status: int, kind: str, detail: str, **more: Any) -> Result:
    return Result(status, _body(kind, detail, **more), headers={"content-type": PROBLEM})


def _body(kind: str, detail: str, **more: Any) -> dict[str, Any]:
    return {"type": f"{PAGE}{kind}", "title": "Refused", "detail": detail, "instance": uuid.uuid4().hex, **more}


VENDOR = Vendor(KIND, {"/v1/messages": send}, refusal)
