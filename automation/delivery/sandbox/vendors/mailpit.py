"""Mailpit's side: https://mailpit.axllent.org/docs/api-v1/view.html"""

import secrets
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.mails import ADDRESS, JSON_TYPE, STRICT, first_wrong
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "mailpit"
# It has no field for the sender's own id.
OWN_ID = "X-Message-Id"
# They have fields of their own.
STANDARD = frozenset(["from", "to", "cc", "bcc", "reply-to", "subject", "date", "message-id"])
Filled = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    model_config = STRICT


class Address(Part):
    email: str = Field(alias="Email")
    name: str = Field("", alias="Name")


class Message(Part):
    sender: Address = Field(alias="From")
    # Several would see each other.
    to: list[Address] = Field(alias="To", min_length=1, max_length=1)
    reply_to: list[Address] = Field([], alias="ReplyTo")
    subject: str = Field("", alias="Subject")
    text: str = Field("", alias="Text")
    html: str = Field("", alias="HTML")
    headers: dict[Filled, str] = Field({}, alias="Headers")
    tags: list[str] = Field([], alias="Tags")


def send(post: Post) -> Result:
    """POST /api/v1/send: without credentials, as it is when it is installed."""
    if media_type(post) != JSON_TYPE:
        return error(f"Content-Type must be {JSON_TYPE}")
    try:
        message = Message.model_validate_json(post.body)
    except ValidationError as found:
        place, _, text = first_wrong(found)
        return error(f"{place}: {text}")
    wrong = _wrong(message)
    if wrong:
        return error(wrong)
    taken = _taken(message, post)
    return Result(200, {"ID": taken.provider_id}, (taken,))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {"Error": f"The sandbox was told to answer {status}."}


def error(text: str) -> Result:
    return Result(400, {"Error": text})


def _wrong(message: Message) -> str | None:
    for address in (message.sender, *message.to, *message.reply_to):
        if not ADDRESS.fullmatch(address.email):
            return "invalid email address"
    if STANDARD & {name.lower() for name in message.headers}:
        return "standard headers cannot be set"
    if not all(map(is_one_line, (message.subject, message.sender.name, *message.headers, *message.headers.values()))):
        return "control characters are not allowed in Subject and Headers"
    return None


def _taken(message: Message, post: Post) -> Taken:
    sender = message.sender
    return Taken(
        kind=KIND,
        provider_id=secrets.token_hex(11),
        mid=message.headers.get(OWN_ID, ""),
        sender=f"{sender.name} <{sender.email}>" if sender.name else sender.email,
        recipient=message.to[0].email,
        subject=message.subject,
        at=stamp(post.at),
        body_hash=body_hash(message.subject, message.html, message.text),
        tag=next(iter(message.tags), ""),
        stream="",
        fields=message.model_dump_json(by_alias=True, include={"headers", "reply_to", "tags"}, exclude_unset=True),
        text=message.text,
        html=message.html,
    )


VENDOR = Vendor(KIND, {"/api/v1/send": send}, refusal)
