"""Sinch's side, for texts: https://developers.sinch.com/docs/sms/api-reference/sms/batches"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from automation.delivery.sandbox.exchange import Post, Result, stamp
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.texting import INVALID, OPTED_OUT, Flaw, Line, Number, Part, Sender, WebAddress
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "sinch"
BATCHES = "/xms/v1/{service_plan_id}/batches"
USUAL_PAGE, LARGEST_PAGE, LAST_PAGE = 30, 100, 1_000_000
LONGEST_WAIT, SEARCHED = timedelta(days=3), timedelta(hours=24)
# https://developers.sinch.com/docs/sms/api-reference/status-codes
NO_JSON, FORMAT, CONSTRAINT = "syntax_invalid_json", "syntax_invalid_parameter_format", "syntax_constraint_violation"
CODES = {400: CONSTRAINT, 401: "unauthorized", 403: "unauthorized", 404: "not_found", 429: "too_many_requests"}
# What pydantic calls a value that has the right form and is still none that may be.
CONSTRAINTS = {"missing", "extra_forbidden", "too_long", "too_short", "string_too_long", "string_too_short"}


class Message(Part):
    """For one number: several would have one id, and the mailbox has a line for each."""

    sender: Sender = Field(alias="from")
    to: Annotated[list[Number], Field(min_length=1, max_length=1)]
    body: Annotated[str, Field(min_length=1, max_length=2000)]
    type: Literal["mt_text"] = "mt_text"
    parameters: dict[str, dict[str, str]] = Field(default_factory=dict)
    delivery_report: Literal["none", "summary", "full", "per_recipient", "per_recipient_final"] = "none"
    callback_url: Annotated[WebAddress, Field(max_length=2048)] = ""
    client_reference: Annotated[Line, Field(max_length=2048)] = ""
    send_at: AwareDatetime | None = None
    expire_at: AwareDatetime | None = None
    feedback_enabled: bool = False
    flash_message: bool = False
    truncate_concat: bool = False
    max_number_of_message_parts: Annotated[int, Field(ge=1)] | None = None


REST = {"sender", "to", "body"}


def send(post: Post) -> Result:
    """POST /xms/v1/{service_plan_id}/batches"""
    message = _stranger(post) or _unfit(post) or texting.read(Message, post.body)
    if isinstance(message, Result):
        return message
    if isinstance(message, Flaw):
        return _flawed(message)
    wrong = _wrong(message, post.at)
    if wrong:
        return wrong
    one = texting.taken(
        post,
        KIND,
        texting.ulid().upper(),
        message.sender,
        message.to[0],
        message.body,
        message.model_dump_json(by_alias=True, exclude=REST, exclude_unset=True),
        message.client_reference,
    )._replace(stream=post.path["service_plan_id"])
    return Result(201, _resource(one._asdict()), (one,))


def listed(mailbox: Mailbox, post: Post, query: Mapping[str, str]) -> Result:
    """GET …/batches?page=&page_size=&start_date=&end_date=&from=&client_reference=; of the last 24 hours at first."""
    refused = _stranger(post)
    if refused:
        return refused
    try:
        size, page = int(query.get("page_size", USUAL_PAGE)), int(query.get("page", 0))
        where = {f"at {sign}": stamp(at) for sign, at in _span(query, post.at).items()}
    except (ValueError, OverflowError):
        return _error(400, FORMAT, "A parameter is of another form.")
    if not 0 < size <= LARGEST_PAGE or not 0 <= page <= LAST_PAGE:
        return _error(400, CONSTRAINT, "page or page_size is out of range.")
    where |= {
        f"{column} =": query[name]
        for name, column in {"client_reference": "mid", "from": "sender"}.items()
        if name in query
    }
    where["stream ="] = post.path["service_plan_id"]
    total, rows = mailbox.search(KIND, where, size, page * size)
    batches = [_resource(dict(row)) for row in rows]
    return Result(200, {"page": page, "page_size": len(batches), "count": total, "batches": batches})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {"code": CODES.get(status, "internal_error"), "text": f"The sandbox was told to answer {status}."}


def _stranger(post: Post) -> Result | None:
    """It answers with no body."""
    return None if texting.credential(post, "bearer") else Result(401, None)


def _unfit(post: Post) -> Result | None:
    return None if texting.is_json(post) else Result(415, None)


def _flawed(flaw: Flaw) -> Result:
    if flaw.is_no_json:
        return _error(400, NO_JSON, "The body is no JSON.")
    return _error(400, CONSTRAINT if flaw.name in CONSTRAINTS else FORMAT, f"{flaw.where}: {flaw.words}")


def _wrong(message: Message, now: datetime) -> Result | None:
    start = max(message.send_at or now, now)
    if message.delivery_report != "none" and not message.callback_url:
        return _error(403, "missing_callback_url", "Delivery reports need a callback_url.")
    if message.expire_at and not timedelta() < message.expire_at - start <= LONGEST_WAIT:
        return _error(400, CONSTRAINT, "expire_at must be within three days after send_at.")
    if texting.e164(message.to[0]) in {INVALID, OPTED_OUT}:
        return _error(400, FORMAT, "to: the number is invalid.")
    return None


def _span(query: Mapping[str, str], now: datetime) -> dict[str, datetime]:
    """Without an offset it is UTC."""
    given = {"<": "end_date", ">=": "start_date"}
    found = {sign: datetime.fromisoformat(query[name]) for sign, name in given.items() if name in query}
    aware = {sign: at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC) for sign, at in found.items()}
    return {">=": now - SEARCHED} | aware


def _resource(one: Mapping[str, Any]) -> dict[str, Any]:
    created = one["at"].replace("+00:00", "Z")
    return {
        "id": one["provider_id"],
        "to": [one["recipient"].removeprefix("+")],
        "from": one["sender"],
        "canceled": False,
        "body": one["text"],
        "type": "mt_text",
        "created_at": created,
        "modified_at": created,
        "delivery_report": "none",
        "flash_message": False,
        **json.loads(one["fields"]),
    }


def _error(status: int, code: str, text: str) -> Result:
    return Result(status, {"code": code, "text": text})


VENDOR = Vendor(KIND, {BATCHES: send}, refusal, {BATCHES: listed})
