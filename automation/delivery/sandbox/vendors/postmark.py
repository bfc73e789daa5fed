"""Postmark's side: https://postmarkapp.com/developer/api/email-api, refusing also what Postmark would ignore."""

import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.alias_generators import to_pascal

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, number, stamp
from automation.delivery.sandbox.mailbox import Mailbox, Taken, body_hash
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "postmark"
JSON_TYPE = "application/json"
MOST_ITEMS = 500
LARGEST_PAGE, FURTHEST = 500, 10_000
# One recipient, plain or as "Name <address>".
ONE_ADDRESS = re.compile(r"[^<>@,;]*<([^\s<>@,;]+@[^\s<>@,;]+)>|([^\s<>@,;]+@[^\s<>@,;]+)")
# Answered as an address that bounced or complained before.
INACTIVE = "inactive"
Body = Annotated[str, Field(max_length=5_242_880)]
Filled = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_pascal)


class Header(Part):
    name: Filled
    value: str


class Attachment(Part):
    name: Filled
    content: str
    content_type: Filled
    content_id: str = Field("", alias="ContentID")


class Message(Part):
    sender: Filled = Field(alias="From")
    to: Filled
    cc: str = ""
    bcc: str = ""
    subject: str
    html_body: Body = ""
    text_body: Body = ""
    reply_to: str = ""
    tag: Annotated[str, Field(max_length=1000)] = ""
    headers: list[Header] = []
    metadata: dict[str, str] = {}
    message_stream: Filled = "outbound"
    track_opens: bool = False
    track_links: Literal["None", "HtmlAndText", "HtmlOnly", "TextOnly"] = "None"
    inline_css: bool = False
    attachments: list[Attachment] = []

    @model_validator(mode="after")
    def _a_body(self) -> "Message":
        if not {"html_body", "text_body"} & self.model_fields_set:
            raise ValueError("HtmlBody or TextBody is required")
        return self


SINGLE: TypeAdapter[Message] = TypeAdapter(Message)
BATCH: TypeAdapter[list[Message]] = TypeAdapter(list[Message])
REST = {"sender", "to", "subject", "html_body", "text_body"}


def single(post: Post) -> Result:
    """POST /email: what is wrong with the one message is an HTTP 422."""
    answer = _unfit(post) or _parsed(SINGLE, post.body)
    if isinstance(answer, Result):
        return answer
    payload, taken = _taken(answer, post)
    return Result(200 if taken else 422, payload, taken)


def batch(post: Post) -> Result:
    """POST /email/batch: what is wrong with one message is an item inside HTTP 200."""
    answer = _unfit(post) or _parsed(BATCH, post.body)
    if isinstance(answer, Result):
        return answer
    if not 0 < len(answer) <= MOST_ITEMS:
        return _error(422, 410, f"A batch has 1 to {MOST_ITEMS} messages, this one has {len(answer)}.")
    payloads, taken = zip(*(_taken(message, post) for message in answer), strict=True)
    return Result(200, list(payloads), [one for some in taken for one in some])


def search(mailbox: Mailbox, post: Post, query: Mapping[str, str]) -> Result:
    """GET /messages/outbound?count=&offset=, by `metadata_mid`, `recipient` or `tag`, in one stream."""
    refused = _stranger(post)
    if refused:
        return refused
    count, offset = query.get("count", ""), query.get("offset", "")
    first, size = number(offset, FURTHEST), number(count, 0)
    if not (0 < size <= LARGEST_PAGE and first + size <= FURTHEST):
        return _error(
            422, 701, f"'count' (1 to {LARGEST_PAGE}) and 'offset' are required, at most {FURTHEST} together."
        )
    names = {"metadata_mid": "mid =", "recipient": "recipient =", "tag": "tag ="}
    where = {column: query[name] for name, column in names.items() if name in query}
    where["stream ="] = query.get("messagestream", "outbound")
    total, rows = mailbox.search(KIND, where, size, first)
    return Result(200, {"TotalCount": total, "Messages": [_found(row) for row in rows]})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {
        "ErrorCode": {401: 10, 429: 429, 503: 100}.get(status, 0),
        "Message": f"The sandbox was told to answer {status}.",
    }


def _stranger(post: Post) -> Result | None:
    if post.headers.get("x-postmark-server-token", "").strip():
        return None
    return _error(401, 10, "No Account or Server API tokens were supplied in the HTTP headers.")


def _unfit(post: Post) -> Result | None:
    refused = _stranger(post)
    if refused:
        return refused
    if media_type(post) != JSON_TYPE or JSON_TYPE not in post.headers.get("accept", ""):
        return _error(415, 409, f"Content-Type and Accept must be {JSON_TYPE}.")
    return None


def _parsed(form: TypeAdapter[Any], body: bytes) -> Any:
    try:
        return form.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        code = 402 if first["type"] == "json_invalid" else 403
        return _error(422, code, f"{place or 'body'}: {first['msg']}")


def _taken(message: Message, post: Post) -> tuple[dict[str, Any], Sequence[Taken]]:
    at = stamp(post.at)
    wrong = _wrong(message)
    if wrong:
        return {"ErrorCode": wrong[0], "Message": wrong[1]}, ()
    found = ONE_ADDRESS.fullmatch(message.to)
    one = Taken(
        kind=KIND,
        provider_id=str(uuid.uuid4()),
        mid=message.metadata.get("mid", ""),
        sender=message.sender,
        recipient=(found[1] or found[2]) if found else message.to,
        subject=message.subject,
        at=at,
        body_hash=body_hash(message.subject, message.html_body, message.text_body),
        tag=message.tag,
        stream=message.message_stream,
        fields=message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        text=message.text_body,
        html=message.html_body,
    )
    answer = {"To": message.to, "SubmittedAt": at, "MessageID": one.provider_id, "ErrorCode": 0, "Message": "OK"}
    return answer, (one,)


def _wrong(message: Message) -> tuple[int, str] | None:
    to = ONE_ADDRESS.fullmatch(message.to)
    if not to:
        return 300, f"Invalid 'To' address: '{message.to}'."
    if not ONE_ADDRESS.fullmatch(message.sender):
        return 300, f"Invalid 'From' address: '{message.sender}'."
    lines = (message.subject, message.tag, *(one.name + one.value for one in message.headers))
    if not all(map(is_one_line, lines)):
        return 300, "Control characters are not allowed in 'Subject', 'Tag' and 'Headers'."
    if (to[1] or to[2]).partition("@")[0].casefold() == INACTIVE:
        return 406, f"The recipient has been marked as inactive. Found inactive addresses: {to[1] or to[2]}."
    return None


def _found(row: Any) -> dict[str, Any]:
    return {
        "MessageID": row["provider_id"],
        "MessageStream": row["stream"],
        "Tag": row["tag"],
        "To": [{"Email": row["recipient"], "Name": None}],
        "Recipients": [row["recipient"]],
        "From": row["sender"],
        "Subject": row["subject"],
        "ReceivedAt": row["at"],
        "Status": "Sent",
        "Metadata": {"mid": row["mid"]} if row["mid"] else {},
    }


def _error(status: int, code: int, message: str) -> Result:
    return Result(status, {"ErrorCode": code, "Message": message})


VENDOR = Vendor(KIND, {"/email": single, "/email/batch": batch}, refusal, {"/messages/outbound": search})
