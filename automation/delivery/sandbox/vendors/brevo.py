"""Brevo's side: https://developers.brevo.com/reference/send-transac-email"""

import secrets
from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.mails import ADDRESS, JSON_TYPE, STRICT, first_wrong
from automation.delivery.sandbox.vendors.vendor import KeyRules, Vendor

KIND = "brevo"
# https://developers.brevo.com/docs/batch-send-transactional-emails
MOST_VERSIONS = 1000
OWN_ID, KEY = "X-Mailin-custom", "idempotencyKey"
CODES = {
    401: "unauthorized",
    402: "not_enough_credits",
    403: "permission_denied",
    404: "document_not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
}
# The types of pydantic's errors that mean that something is not there.
MISSING = frozenset({"missing", "too_short", "string_too_short"})
Filled = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    model_config = STRICT


class Address(Part):
    email: str
    name: Filled | None = None


class Version(Part):
    # Several would see each other.
    to: list[Address] = Field(min_length=1, max_length=1)
    subject: Filled | None = None
    html: Filled | None = Field(None, alias="htmlContent")
    text: str | None = Field(None, alias="textContent")
    reply_to: Address | None = Field(None, alias="replyTo")
    headers: dict[Filled, str] = {}


class Message(Part):
    sender: Address
    to: list[Address] = []
    subject: Filled
    # A text alone is refused.
    html: Filled = Field(alias="htmlContent")
    text: str | None = Field(None, alias="textContent")
    reply_to: Address | None = Field(None, alias="replyTo")
    headers: dict[Filled, str] = {}
    tags: list[Filled] = []
    versions: list[Version] = Field([], alias="messageVersions", max_length=MOST_VERSIONS)

    def each(self) -> list[Version]:
        """What is sent to each recipient; raises ValidationError for any number but one where there are no versions."""
        if not self.versions:
            return [Version(to=self.to)]
        return self.versions


def send(post: Post) -> Result:
    """POST /v3/smtp/email"""
    refused = _unfit(post)
    if refused:
        return refused
    try:
        message = Message.model_validate_json(post.body)
        versions = message.each()
    except ValidationError as found:
        return _not_read(*first_wrong(found))
    wrong = _wrong(message, versions)
    if wrong:
        return error(400, "invalid_parameter", wrong)
    taken = [_taken(message, one, post) for one in versions]
    ids = [one.provider_id for one in taken]
    return Result(201, {"messageIds": ids} if message.versions else {"messageId": ids[0]}, taken, _key(message))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {"code": CODES.get(status, "bad_request"), "message": f"The sandbox was told to answer {status}."}


def error(status: int, code: str, message: str) -> Result:
    return Result(status, {"code": code, "message": message})


def _unfit(post: Post) -> Result | None:
    if not post.headers.get("api-key", "").strip():
        return error(401, "unauthorized", "authentication not found in headers")
    if media_type(post) != JSON_TYPE:
        return error(415, "bad_request", "Input must be a valid JSON object")
    return None


def _not_read(place: str, kind: str, text: str) -> Result:
    if kind == "json_invalid":
        return error(400, "bad_request", "Input must be a valid JSON object")
    return error(400, "missing_parameter" if kind in MISSING else "invalid_parameter", f"{place}: {text}")


def _wrong(message: Message, versions: list[Version]) -> str | None:
    if not ADDRESS.fullmatch(message.sender.email):
        return "valid sender email required"
    if not all(ADDRESS.fullmatch(one.to[0].email) for one in versions):
        return "email is not valid in to"
    headers = [message.headers, *(one.headers for one in versions)]
    if not all(text.isascii() for some in headers for text in some.values()):
        return "headers must be ASCII"
    lines = [text for some in headers for pair in some.items() for text in pair]
    subjects = (message.subject, *(one.subject or "" for one in versions))
    if not all(map(is_one_line, (*lines, *subjects))):
        return "control characters are not allowed in subject and headers"
    if message.headers.get(KEY) is not None and _key(message) is None:
        return "idempotencyKey must be a valid UUID"
    return None


def _key(message: Message) -> str | None:
    try:
        return str(UUID(message.headers[KEY]))
    except (KeyError, ValueError):
        return None


def _taken(message: Message, one: Version, post: Post) -> Taken:
    subject, html = one.subject or message.subject, one.html or message.html
    text = (one.text if one.text is not None else message.text) or ""
    headers = message.headers | one.headers
    rest = Version(to=one.to, replyTo=one.reply_to or message.reply_to, headers=headers)
    return Taken(
        kind=KIND,
        provider_id=f"<{post.at:%Y%m%d%H%M}.{secrets.randbelow(10**11)}@smtp-relay.mailin.fr>",
        mid=headers.get(OWN_ID, ""),
        sender=f"{message.sender.name} <{message.sender.email}>" if message.sender.name else message.sender.email,
        recipient=one.to[0].email,
        subject=subject,
        at=stamp(post.at),
        body_hash=body_hash(subject, html, text),
        tag=next(iter(message.tags), ""),
        stream="",
        fields=rest.model_dump_json(by_alias=True, exclude={"to"}, exclude_none=True, exclude_unset=True),
        text=text,
        html=html,
    )


# https://developers.brevo.com/docs/heterogenous-versions-batch-emails: the first answer is not given again.
USED = error(400, "duplicate_request", "A request with this idempotencyKey was processed already.")
KEYS = KeyRules(timedelta(minutes=30), USED, USED, USED)
VENDOR = Vendor(KIND, {"/v3/smtp/email": send}, refusal, keys=KEYS)
