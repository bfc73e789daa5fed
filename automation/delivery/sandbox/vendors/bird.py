"""Bird's side, for texts: https://bird.com/en-us/docs/api, refusing also what it would ignore."""

import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.texting import INVALID, OPTED_OUT, Flaw, Part, Sender
from automation.delivery.sandbox.vendors.vendor import KeyRules, Vendor

KIND = "bird"
MOST_ITEMS, MOST_TAGS, LONGEST_METADATA, LONGEST_KEY = 100, 20, 2048, 255
LONGEST_TEXT = 1836  # twelve parts in the shortest alphabet
# https://bird.com/en-us/docs/guides/errors
TYPES = {
    400: "bad_request_error",
    401: "auth_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "payload_too_large_error",
    422: "validation_error",
    429: "rate_limit_error",
    500: "internal_error",
    501: "not_implemented_error",
    503: "service_unavailable_error",
}
Word = Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_-]+$")]


class Tag(Part):
    name: Annotated[Word, Field(max_length=32)]
    value: Annotated[Word, Field(max_length=64)]


class Options(Part):
    smart_encoding: bool = False


class Message(Part):
    """Without the fields that are announced and refused today."""

    to: texting.E164
    sender: Sender = Field(alias="from")
    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    category: Literal["transactional", "marketing", "authentication", "service"]
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    options: Options = Options()


class Batch(Part):
    messages: Annotated[list[Message], Field(min_length=1, max_length=MOST_ITEMS)]


REST = {"to", "sender", "text"}


def single(post: Post) -> Result:
    """POST /v1/sms/messages"""
    message = _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    wrong = _wrong(message)
    if wrong:
        return wrong
    taken = _taken(message, post)
    return Result(202, _resource(taken, message), (taken,), _key(post))


def batch(post: Post) -> Result:
    """POST /v1/sms/batches: what is wrong with one message refuses them all."""
    found = _unfit(post) or texting.read(Batch, post.body)
    if isinstance(found, Result):
        return found
    if isinstance(found, Flaw):
        return _flawed(found)
    for place, message in enumerate(found.messages):
        wrong = _wrong(message, f"messages.{place}.")
        if wrong:
            return wrong
    taken = [_taken(message, post) for message in found.messages]
    data = [_resource(*pair) for pair in zip(taken, found.messages, strict=True)]
    return Result(202, {"data": data, "summary": {"accepted_count": len(data)}}, taken, _key(post))


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _body(status, f"The sandbox was told to answer {status}.")


def _unfit(post: Post) -> Result | None:
    if not post.headers.get("user-agent", "").strip():
        return _error(403, "A User-Agent header is required.")
    if not texting.credential(post, "bearer"):
        return _error(401, "The API key is missing.", name="Unauthorized")
    if not texting.is_json(post):
        return _error(400, f"Content-Type must be {texting.JSON_TYPE}.")
    key = _key(post)
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        return _error(400, f"Idempotency-Key must have 1 to {LONGEST_KEY} characters.", param="Idempotency-Key")
    return None


def _key(post: Post) -> str | None:
    return post.headers.get("idempotency-key")


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error(400, "The body is no JSON.")
    return _invalid(flaw.where, flaw.words)


def _wrong(message: Message, where: str = "") -> Result | None:
    if message.to == INVALID:
        return _invalid(f"{where}to", "The number cannot be routed.", name="SMSInvalidRecipient")
    if message.to == OPTED_OUT:
        return _invalid(f"{where}to", "The recipient is on a suppression list.", name="SMSRecipientSuppressed")
    if len(json.dumps(message.metadata)) > LONGEST_METADATA:
        return _invalid(f"{where}metadata", "At most 2 KB.")
    if len({tag.name for tag in message.tags}) < len(message.tags):
        return _invalid(f"{where}tags", "Tag names are unique.")
    return None


def _taken(message: Message, post: Post) -> Taken:
    return texting.taken(
        post,
        KIND,
        f"sms_{texting.ulid()}",
        message.sender,
        message.to,
        message.text,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        str(message.metadata.get("mid", "")),
        next((tag.value for tag in message.tags if tag.name == "tag"), ""),
    )


def _resource(taken: Taken, message: Message) -> dict[str, Any]:
    plain = message.text.isascii()
    return {
        "id": taken.provider_id,
        "direction": "outbound",
        "status": "accepted",
        "to": taken.recipient,
        "from": taken.sender,
        "text": taken.text,
        "category": message.category,
        "requested_language": None,
        "resolved_language": None,
        "template_id": None,
        "template_version_id": None,
        "template_content_hash": None,
        "segments": {"count": 1, "encoding": "GSM_7BIT" if plain else "UCS2", "characters": len(message.text)},
        "tags": [tag.model_dump() for tag in message.tags],
        "metadata": message.metadata,
        "options": message.options.model_dump(),
        "created_at": taken.at,
        "updated_at": taken.at,
    }


def _invalid(param: str, words: str, name: str = "ValidationFailed") -> Result:
    return _error(422, words, name=name, param=param, details=[{"param": param, "message": words}])


def _error(status: int, message: str, **more: Any) -> Result:
    return Result(status, _body(status, message, **more))


def _body(status: int, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"type": TYPES.get(status, "internal_error"), "message": message, **more}}


# https://bird.com/en-us/docs/guides/idempotency: roughly three hours
KEYS = KeyRules(
    timedelta(hours=3),
    _error(409, "The key was used with another body.", name="IdempotencyKeyReused"),
    _error(409, "A call with this key is under way.", name="IdempotencyKeyInUse"),
)
VENDOR = Vendor(KIND, {"/v1/sms/messages": single, "/v1/sms/batches": batch}, refusal, keys=KEYS)
