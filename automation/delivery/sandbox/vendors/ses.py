"""Amazon SES's side, version 2: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

import json
import secrets
import uuid
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_pascal

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.mails import STRICT, first_wrong, named
from automation.delivery.sandbox.vendors.sigv4 import unsigned
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "ses"
NAMES = {
    400: "BadRequestException",
    403: "AccessDeniedException",
    404: "NotFoundException",
    429: "TooManyRequestsException",
    503: "ServiceUnavailableException",
}
MOST_HEADERS = 15
ASCII = r"^[ -~]*$"
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")]


class Part(BaseModel):
    model_config = ConfigDict(**STRICT, alias_generator=to_pascal)


class Text(Part):
    data: str
    charset: str = "UTF-8"


class Body(Part):
    text: Text | None = None
    html: Text | None = None


class Header(Part):
    name: Annotated[str, Field(pattern=r"^[!-9;-~]{1,126}$")]
    value: Annotated[str, Field(pattern=ASCII, min_length=1, max_length=995)]


class Simple(Part):
    subject: Text
    body: Body
    headers: list[Header] = Field([], max_length=MOST_HEADERS)


class Content(Part):
    # The sandbox does not read MIME.
    simple: Simple


class Destination(Part):
    # Several would see each other.
    to_addresses: list[str] = Field(min_length=1, max_length=1)


class Tag(Part):
    name: Word
    value: Word


class Message(Part):
    from_email_address: Annotated[str, Field(pattern=ASCII)]
    destination: Destination
    content: Content
    reply_to_addresses: list[str] = []
    email_tags: list[Tag] = []
    configuration_set_name: str | None = None
    feedback_forwarding_email_address: str | None = None


def send(post: Post) -> Result:
    """POST /v2/email/outbound-emails"""
    refused = unsigned(post, "ses")
    if refused:
        return error(403, *refused)
    try:
        message = Message.model_validate_json(post.body)
    except ValidationError as found:
        place, kind, text = first_wrong(found)
        return error(400, "SerializationException" if kind == "json_invalid" else NAMES[400], f"{place}: {text}")
    wrong = _wrong(message)
    if wrong:
        return error(400, NAMES[400], wrong)
    taken = _taken(message, post)
    return Result(200, {"MessageId": taken.provider_id}, (taken,))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault; its name is here and in no header."""
    name = NAMES.get(status, "InternalServiceErrorException")
    return {"__type": name, "message": f"The sandbox was told to answer {status}."}


def error(status: int, name: str, message: str) -> Result:
    return Result(status, {"message": message}, headers={"x-amzn-ErrorType": name})


def _wrong(message: Message) -> str | None:
    if named(message.from_email_address) is None:
        return "Missing final '@domain'"
    to = message.destination.to_addresses[0]
    if named(to) is None:
        return "Missing final '@domain'"
    if not to.isascii():
        return "Local address contains control or whitespace"  # as it calls what is no ASCII
    simple = message.content.simple
    if not (simple.body.text or simple.body.html):
        return "Body must have Text or Html"
    if not is_one_line(simple.subject.data):
        return "Control characters are not allowed in Subject"
    return None


def _taken(message: Message, post: Post) -> Taken:
    simple, tags = message.content.simple, {tag.name: tag.value for tag in message.email_tags}
    text, html = (part.data if part else "" for part in (simple.body.text, simple.body.html))
    rest = message.model_dump(
        by_alias=True, exclude_unset=True, exclude={"content", "destination", "from_email_address"}
    )
    headers = {header.name: header.value for header in simple.headers}
    return Taken(
        kind=KIND,
        provider_id=f"01{secrets.token_hex(7)}-{uuid.uuid4()}-000000",
        mid=tags.get("mid", ""),
        sender=message.from_email_address,
        recipient=named(message.destination.to_addresses[0]) or "",
        subject=simple.subject.data,
        at=stamp(post.at),
        body_hash=body_hash(simple.subject.data, html, text),
        tag=tags.get("tag", ""),
        stream=message.configuration_set_name or "",
        fields=json.dumps({**rest, "Headers": headers}),
        text=text,
        html=html,
    )


VENDOR = Vendor(KIND, {"/v2/email/outbound-emails": send}, refusal)
