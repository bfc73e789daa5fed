"""Telnyx's side: https://developers.telnyx.com/api-reference/messages/send-a-message."""

import uuid
from typing import Annotated, Any, Literal

from pydantic import Field

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.texting import INVALID, OPTED_OUT, UUID, Flaw, Line, Part, Sender, WebAddress
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "telnyx"
OWN_TAG = "mid="
# https://developers.telnyx.com/docs/messaging/messages/error-codes
BAD_SENDER, BAD_RECIPIENT, NO_TEXT, NO_SENDER, STOPPED = "40305", "40310", "40316", "40321", "40300"
CODES = {401: "10009", 403: "10010", 404: "10005", 429: "10011", 500: "10007", 503: "10016"}
BY_FIELD = {"from": BAD_SENDER, "to": BAD_RECIPIENT, "text": NO_TEXT}


class Message(Part):
    sender: Sender | None = Field(None, alias="from")
    messaging_profile_id: Annotated[str, Field(pattern=UUID)] | None = None
    to: texting.E164
    text: Annotated[str, Field(min_length=1)]
    type: Literal["SMS"] = "SMS"
    webhook_url: WebAddress = ""
    webhook_failover_url: WebAddress = ""
    use_profile_webhooks: bool = True
    auto_detect: bool = False
    encoding: Literal["auto", "gsm7", "ucs2"] = "auto"
    tags: list[Line] = Field(default_factory=list)


REST = {"sender", "to", "text"}


def send(post: Post) -> Result:
    """POST /v2/messages"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    wrong = _wrong(message)
    if wrong:
        return wrong
    own = (tag.removeprefix(OWN_TAG) for tag in message.tags if tag.startswith(OWN_TAG))
    one = texting.taken(
        post,
        KIND,
        str(uuid.uuid4()),
        message.sender or str(message.messaging_profile_id),
        message.to,
        message.text,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        texting.own_id(message.webhook_url) or next(own, ""),
        next((tag for tag in message.tags if not tag.startswith(OWN_TAG)), ""),
    )
    return Result(200, {"data": _resource(one, message)}, (one,))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(CODES.get(status, "10015"), f"The sandbox was told to answer {status}.")


def _unfit(post: Post) -> Result | None:
    if not texting.credential(post, "bearer"):
        return _error(401, "10009", "No key found matching the ID given.")
    if not texting.is_json(post):
        return _error(415, "10015", f"Content-Type must be {texting.JSON_TYPE}.")
    return None


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error(400, "10015", "The body is no JSON.")
    code = BY_FIELD.get(flaw.where, "10015")
    return _error(422 if code == "10015" else 400, code, flaw.words, f"/{flaw.where.replace('.', '/')}")


def _wrong(message: Message) -> Result | None:
    if not (message.sender or message.messaging_profile_id):
        return _error(400, NO_SENDER, "Give from or messaging_profile_id.", "/from")
    if message.to == INVALID:
        return _error(400, BAD_RECIPIENT, "The number is invalid.", "/to")
    if message.to == OPTED_OUT:
        return _error(403, STOPPED, "Messages cannot be sent: the recipient has replied STOP.", "/to")
    return None


def _resource(one: Taken, message: Message) -> dict[str, Any]:
    nobody = {"carrier": "", "line_type": ""}
    return {
        "record_type": "message",
        "direction": "outbound",
        "id": one.provider_id,
        "type": message.type,
        "messaging_profile_id": message.messaging_profile_id,
        "organization_id": str(uuid.UUID(int=0)),
        "from": {"phone_number": message.sender, **nobody},
        "to": [{"phone_number": message.to, "status": "queued", **nobody}],
        "text": message.text,
        "media": [],
        "webhook_url": message.webhook_url or None,
        "webhook_failover_url": message.webhook_failover_url or None,
        "encoding": "GSM-7" if message.text.isascii() else "UCS-2",
        "parts": 1,
        "tags": message.tags,
        "cost": None,
        "received_at": one.at,
        "sent_at": None,
        "completed_at": None,
        "valid_until": None,
        "errors": [],
    }


def _error(status: int, code: str, detail: str, pointer: str | None = None) -> Result:
    return Result(status, _body(code, detail, pointer))


def _body(code: str, detail: str, pointer: str | None = None) -> dict[str, Any]:
    source = {"source": {"pointer": pointer}} if pointer else {}
    return {"errors": [{"code": code, "title": "The sandbox refused it", "detail": detail, **source}]}


VENDOR = Vendor(KIND, {"/v2/messages": send}, refusal)
