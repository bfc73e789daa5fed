"""Plivo's side: https://docs.plivo.com/docs/messaging/api/message/send-a-message."""

import re
import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.mails import basic
from automation.delivery.sandbox.vendors.texting import INVALID, UUID, Flaw, Number, Part, Sender, WebAddress
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "plivo"
AUTH_ID = re.compile(r"(MA|SA)[0-9A-Za-z]{18}")
STRANGER = "Could not verify your access level for that URL. You have to login with proper credentials."
SENDERS = "Specify either src or powerpack_uuid to send a message."


class Message(Part):
    """For one number: of several the mailbox would have to know each."""

    src: Sender | None = None
    powerpack_uuid: Annotated[str, Field(pattern=UUID)] | None = None
    dst: Number
    text: Annotated[str, Field(min_length=1, max_length=1600)]
    type: Literal["sms"] = "sms"
    url: WebAddress = ""
    method: Literal["GET", "POST"] = "POST"
    log: bool | Literal["true", "false", "content_only", "number_only"] = True
    trackable: bool = False
    message_expiry: Annotated[int, Field(ge=5, le=10_799)] = 10_799
    dlt_entity_id: str = ""
    dlt_template_id: str = ""
    dlt_template_category: str = ""


REST = {"src", "dst", "text"}


def send(post: Post) -> Result:
    """POST /v1/Account/{auth_id}/Message/"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _error(400, "The body is no JSON." if message.is_no_json else f"{message.where}: {message.words}")
    sender = message.src or message.powerpack_uuid
    if sender is None or (message.src and message.powerpack_uuid):
        return _error(400, SENDERS)
    if texting.e164(message.dst) == texting.e164(sender):
        return _error(400, "src and dst cannot be the same.")
    if texting.e164(message.dst) == INVALID:
        return _answer({"message": "message(s) queued", "message_uuid": [], "invalid_number": [message.dst]})
    one = texting.taken(
        post,
        KIND,
        str(uuid.uuid4()),
        sender,
        message.dst,
        message.text,
        message.model_dump_json(exclude=REST, exclude_unset=True),
        texting.own_id(message.url),
    )
    return _answer({"message": "message(s) queued", "message_uuid": [one.provider_id]}, one)


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(f"The sandbox was told to answer {status}.")


def _unfit(post: Post) -> Result | None:
    user, password = basic(post)
    if user != post.path["auth_id"] or not password:
        return _error(401, STRANGER)
    if not AUTH_ID.fullmatch(user):
        return _error(404, "The account does not exist.")
    if not texting.is_json(post):
        return _error(400, f"Content-Type must be {texting.JSON_TYPE}.")
    return None


def _answer(payload: dict[str, Any], *taken: Any) -> Result:
    return Result(202, {"api_id": str(uuid.uuid4()), **payload}, taken)


def _error(status: int, text: str) -> Result:
    return Result(status, _body(text))


def _body(text: str) -> dict[str, Any]:
    return {"api_id": str(uuid.uuid4()), "error": text}


VENDOR = Vendor(KIND, {"/v1/Account/{auth_id}/Message/": send}, refusal)
