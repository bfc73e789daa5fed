"""SendGrid's side: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send"""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.mails import ADDRESS, JSON_TYPE, STRICT, first_wrong
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "sendgrid"
MOST_ITEMS, LARGEST_ARGS = 1000, 10_000
# https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send#headers
RESERVED = re.compile(
    r"x-sg-id|x-sg-eid|received|dkim-signature|content-type|content-transfer-encoding|to|from|subject|reply-to|cc|bcc",
    re.IGNORECASE,
)
HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"
Filled = Annotated[str, Field(min_length=1)]
Strings = dict[Filled, str]


class Part(BaseModel):
    model_config = STRICT


class Address(Part):
    email: str
    name: str = ""


class Personalization(Part):
    # Several would see each other.
    to: list[Address] = Field(min_length=1, max_length=1)
    subject: str = ""
    headers: Strings = {}
    custom_args: Strings = {}


class Content(Part):
    type: Literal["text/plain", "text/html"]
    value: Filled


class Message(Part):
    personalizations: list[Personalization] = Field(min_length=1, max_length=MOST_ITEMS)
    sender: Address = Field(alias="from")
    reply_to: Address | None = None
    subject: str = ""
    content: list[Content] = Field(min_length=1, max_length=2)
    headers: Strings = {}
    categories: list[Annotated[str, Field(max_length=255)]] = Field([], max_length=10)
    asm: dict[str, Any] = {}
    mail_settings: dict[str, Any] = {}
    tracking_settings: dict[str, Any] = {}


def send(post: Post) -> Result:
    """POST /v3/mail/send"""
    refused = _unfit(post)
    if refused:
        return refused
    try:
        message = Message.model_validate_json(post.body)
    except ValidationError as found:
        place, kind, text = first_wrong(found)
        return error(400, "Bad Request" if kind == "json_invalid" else text, place or None)
    wrong = next(_wrong(message), None)
    if wrong:
        return error(400, wrong[1], wrong[0])
    found_id = secrets.token_urlsafe(16)
    taken = [_taken(message, post, found_id, place) for place in range(len(message.personalizations))]
    return Result(202, None, taken, headers={"X-Message-Id": found_id})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(f"The sandbox was told to answer {status}.", None)


def error(status: int, message: str, field: str | None = None) -> Result:
    return Result(status, _body(message, field))


def _body(message: str, field: str | None) -> dict[str, Any]:
    return {"errors": [{"message": message, "field": field, "help": HELP if field else None}]}


def _unfit(post: Post) -> Result | None:
    scheme, _, token = post.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return error(401, "Permission denied, wrong credentials")
    if media_type(post) != JSON_TYPE:
        return error(415, f"Content-Type should be {JSON_TYPE}.")
    return None


def _wrong(message: Message) -> Iterator[tuple[str, str]]:
    """Which field, and what is said of it."""
    if not ADDRESS.fullmatch(message.sender.email):
        yield "from.email", "Does not contain a valid address."
    kinds = [one.type for one in message.content]
    if kinds != sorted(set(kinds), reverse=True):
        yield "content", "text/plain and text/html may be there once each, text/plain first."
    if len(set(message.categories)) < len(message.categories):
        yield "categories", "The category array must be unique."
    for place, one in enumerate(message.personalizations):
        yield from ((f"personalizations.{place}.{field}", text) for field, text in _wrong_in(one, message))
    to = [one.to[0].email.casefold() for one in message.personalizations]
    if len(set(to)) < len(to):
        yield (
            "personalizations",
            "Each unique email address in the personalizations array should only be included once.",
        )


def _wrong_in(one: Personalization, message: Message) -> Iterator[tuple[str, str]]:
    if not ADDRESS.fullmatch(one.to[0].email):
        yield "to.0.email", "Does not contain a valid address."
    if not (one.subject or message.subject):
        yield "subject", "The subject is required."
    headers = message.headers | one.headers
    if any(map(RESERVED.fullmatch, headers)):
        yield "headers", "A reserved header cannot be set."
    lines = (message.subject, one.subject, message.sender.name, *headers, *headers.values())
    if not all(map(is_one_line, lines)):
        yield "headers", "Control characters are not allowed in the subject and in headers."
    if len(json.dumps(one.custom_args)) > LARGEST_ARGS:
        yield "custom_args", f"Custom arguments may have at most {LARGEST_ARGS} bytes."


def _taken(message: Message, post: Post, found_id: str, place: int) -> Taken:
    """All of a call have one id; those behind the first are told apart by their place."""
    one = message.personalizations[place]
    bodies = {part.type: part.value for part in message.content}
    subject, text, html = one.subject or message.subject, bodies.get("text/plain", ""), bodies.get("text/html", "")
    rest = message.model_dump(exclude={"personalizations", "content", "subject"}, exclude_unset=True, by_alias=True)
    return Taken(
        kind=KIND,
        provider_id=f"{found_id}.{place}" if place else found_id,
        mid=one.custom_args.get("mid", ""),
        sender=f"{message.sender.name} <{message.sender.email}>" if message.sender.name else message.sender.email,
        recipient=one.to[0].email,
        subject=subject,
        at=stamp(post.at),
        body_hash=body_hash(subject, html, text),
        tag=next(iter(message.categories), ""),
        stream="",
        fields=json.dumps(rest | one.model_dump(exclude={"to", "subject"}, exclude_unset=True)),
        text=text,
        html=html,
    )


VENDOR = Vendor(KIND, {"/v3/mail/send": send}, refusal)
