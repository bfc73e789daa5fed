"""Resend's side: https://resend.com/docs/api-reference/emails/send-email, refusing also what it would ignore."""

import re
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Taken, body_hash
from automation.delivery.sandbox.vendors.vendor import KeyRules, Vendor

KIND = "resend"
JSON_TYPE = "application/json"
MOST_ITEMS, LONGEST_KEY = 100, 256
ADDRESS = r"([^\s<>@,;]+@[^\s<>@,;.]+(?:\.[^\s<>@,;.]+)+)"  # its domain has a dot
# One recipient, plain or as "Name <address>".
ONE_ADDRESS = re.compile(f"[^<>@,;]*<{ADDRESS}>|{ADDRESS}")
# https://resend.com/docs/api-reference/errors
NAMES = {
    400: "validation_error",
    401: "missing_api_key",
    403: "invalid_api_key",
    404: "not_found",
    405: "method_not_allowed",
    409: "concurrent_idempotent_requests",
    422: "missing_required_field",
    429: "rate_limit_exceeded",
    451: "security_error",
}
Filled = Annotated[str, Field(min_length=1)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Tag(Part):
    name: Word
    value: Word


class Message(Part):
    sender: Filled = Field(alias="from")
    # Several would see each other.
    to: Filled | Annotated[list[Filled], Field(min_length=1, max_length=1)]
    subject: str
    html: str = ""
    text: str = ""
    reply_to: str | list[str] = ""
    headers: dict[Filled, str] = {}
    tags: list[Tag] = []

    @model_validator(mode="after")
    def _a_body(self) -> "Message":
        if not (self.html or self.text):
            raise ValueError("html or text is required")
        return self

    @property
    def recipient(self) -> str:
        return self.to if isinstance(self.to, str) else self.to[0]


SINGLE: TypeAdapter[Message] = TypeAdapter(Message)
BATCH: TypeAdapter[list[Message]] = TypeAdapter(Annotated[list[Message], Field(min_length=1, max_length=MOST_ITEMS)])
REST = {"sender", "to", "subject", "html", "text"}


def single(post: Post) -> Result:
    """POST /emails"""
    message = _unfit(post) or _parsed(SINGLE, post.body)
    if isinstance(message, Result):
        return message
    taken = _taken(message, post)
    return _wrong(message) or Result(200, {"id": taken.provider_id}, (taken,), _key(post))


def batch(post: Post) -> Result:
    """POST /emails/batch: what is wrong with one message refuses them all."""
    messages = _unfit(post) or _parsed(BATCH, post.body)
    if isinstance(messages, Result):
        return messages
    for place, message in enumerate(messages):
        wrong = _wrong(message, f"emails[{place}]: ")
        if wrong:
            return wrong
    taken = [_taken(message, post) for message in messages]
    return Result(200, {"data": [{"id": one.provider_id} for one in taken]}, taken, _key(post))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    name = NAMES.get(status, "application_error")
    return {"statusCode": status, "name": name, "message": f"The sandbox was told to answer {status}."}


def error(status: int, name: str, message: str) -> Result:
    return Result(status, {"statusCode": status, "name": name, "message": message})


def _unfit(post: Post) -> Result | None:
    scheme, _, token = post.headers.get("authorization", "").partition(" ")
    if not post.headers.get("user-agent", "").strip():
        return error(403, "validation_error", "A User-Agent header is required.")
    if scheme.lower() != "bearer" or not token.strip():
        return error(401, "missing_api_key", "Missing API key in the authorization header.")
    if media_type(post) != JSON_TYPE:
        return error(400, "validation_error", f"Content-Type must be {JSON_TYPE}.")
    if post.headers.get("x-batch-validation", "strict") != "strict":
        return error(400, "validation_error", "The sandbox knows x-batch-validation: strict only.")
    key = _key(post)
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        return error(400, "invalid_idempotency_key", f"The key must be between 1-{LONGEST_KEY} chars.")
    return None


def _key(post: Post) -> str | None:
    return post.headers.get("idempotency-key")


def _parsed(form: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return form.validate_json(body)
    except ValidationError as found:
        first = found.errors(include_url=False, include_input=False, include_context=False)[0]
        text = f"{'.'.join(str(part) for part in first['loc']) or 'body'}: {first['msg']}"
        missing = first["type"] in {"missing", "value_error"}
        return error(422, "missing_required_field", text) if missing else error(400, "validation_error", text)


def _wrong(message: Message, where: str = "") -> Result | None:
    if not ONE_ADDRESS.fullmatch(message.sender):
        return error(422, "invalid_from_address", f"{where}Invalid `from` field.")
    if not ONE_ADDRESS.fullmatch(message.recipient):
        return error(400, "validation_error", f"{where}Invalid `to` field.")
    if not all(map(is_one_line, _lines(message))):
        return error(400, "validation_error", f"{where}Control characters are not allowed in `subject` and `headers`.")
    return None


def _lines(message: Message) -> Sequence[str]:
    return (message.subject, *message.headers.keys(), *message.headers.values())


def _taken(message: Message, post: Post) -> Taken:
    found = ONE_ADDRESS.fullmatch(message.recipient)
    tags = {tag.name: tag.value for tag in message.tags}
    return Taken(
        kind=KIND,
        provider_id=str(uuid.uuid4()),
        mid=tags.get("mid", ""),
        sender=message.sender,
        recipient=(found[1] or found[2]) if found else message.recipient,
        subject=message.subject,
        at=stamp(post.at),
        body_hash=body_hash(message.subject, message.html, message.text),
        tag=tags.get("tag", ""),
        stream="",
        fields=message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        text=message.text,
        html=message.html,
    )


# https://resend.com/docs/dashboard/emails/idempotency-keys
KEYS = KeyRules(
    timedelta(hours=24),
    error(409, "invalid_idempotent_request", "Same idempotency key used with a different payload."),
    error(409, NAMES[409], "Same idempotency key used while the original request is still in progress."),
)
VENDOR = Vendor(KIND, {"/emails": single, "/emails/batch": batch}, refusal, keys=KEYS)
