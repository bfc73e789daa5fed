"""Mailjet's side, Send API 3.1: https://dev.mailjet.com/email/guides/send-api-v31/"""

import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, number, stamp
from automation.delivery.sandbox.mailbox import Mailbox, Taken, body_hash
from automation.delivery.sandbox.vendors.mails import ADDRESS, JSON_TYPE, STRICT, basic, first_wrong
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "mailjet"
MOST_ITEMS, LARGEST_PAGE, USUAL_PAGE = 50, 1000, 10
# Ids are larger than what a number of JavaScript holds exactly.
FIRST_ID, IDS = 2**60, 2**59
# https://dev.mailjet.com/email/guides/send-api-v31/#send-api-errors, by the types of pydantic's errors
CODES = {"missing": "mj-0003", "string_too_long": "mj-0006", "too_short": "mj-0007", "too_long": "mj-0008"}
MALFORMED, MISTYPED, NOT_ALLOWED, NO_ADDRESS = "mj-0002", "mj-0004", "mj-0005", "mj-0013"
NO_BODY, FORBIDDEN_HEADER = "send-0003", "send-0011"
FORBIDDEN = re.compile(
    r"(from|sender|subject|to|cc|bcc|return-path|delivered-to|dkim-signature|domainkey-status|received(-spf)?|"
    r"authentication-results|user-agent|x-mailer|x-feedback-id|list-id|date|message-id|x-mj-.*|x-mailjet-.*)",
    re.IGNORECASE,
)
Switch = Literal["account_default", "disabled", "enabled"]
UNAUTHORIZED = (
    "API key authentication/authorization failure. You may be unauthorized to access the API or your API key may be "
    "expired. Visit API keys management section to check your keys."
)


class Part(BaseModel):
    model_config = STRICT


class Address(Part):
    email: str = Field(alias="Email")
    name: str = Field("", alias="Name")


class Message(Part):
    sender: Address = Field(alias="From")
    # Several would see each other.
    to: list[Address] = Field(alias="To", min_length=1, max_length=1)
    reply_to: Address | None = Field(None, alias="ReplyTo")
    subject: str = Field("", alias="Subject", max_length=255)
    text: str = Field("", alias="TextPart")
    html: str = Field("", alias="HTMLPart")
    headers: dict[str, str] = Field({}, alias="Headers")
    own_id: str = Field("", alias="CustomID")
    payload: str = Field("", alias="EventPayload")
    campaign: str = Field("", alias="CustomCampaign")
    deduplicate: bool = Field(False, alias="DeduplicateCampaign")
    opens: Switch = Field("account_default", alias="TrackOpens")
    clicks: Switch = Field("account_default", alias="TrackClicks")


class Call(BaseModel):
    messages: Annotated[list[Any], Field(alias="Messages", min_length=1, max_length=MOST_ITEMS)]


CALL, MESSAGE = TypeAdapter(Call), TypeAdapter(Message)


def send(post: Post) -> Result:
    """POST /v3.1/send: what is wrong with one message is an item among the others, which are sent."""
    refused = _unfit(post)
    if refused:
        return refused
    try:
        call = CALL.validate_json(post.body)
    except ValidationError as found:
        return _top(400, CODES.get(first_wrong(found)[1], MALFORMED), "Malformed JSON, please review the syntax.")
    items, taken = zip(*(_item(one, post) for one in call.messages), strict=True)
    status = 200 if all(taken) else 400
    return Result(status, {"Messages": list(items)}, [one for one in taken if one])


def search(mailbox: Mailbox, post: Post, query: Mapping[str, str]) -> Result:
    """GET /v3/REST/message?CustomID=&FromTS=&Limit=&Offset=&ShowCustomID=&ShowContactAlt="""
    if not all(basic(post)):
        return Result(401, {"ErrorInfo": "", "ErrorMessage": UNAUTHORIZED, "StatusCode": 401})
    try:
        since = {"at >=": stamp(_instant(query["FromTS"]))} if "FromTS" in query else {}
    except (ValueError, OverflowError, OSError):
        return Result(400, {"ErrorInfo": "", "ErrorMessage": "Invalid value in a filter.", "StatusCode": 400})
    limit, offset = number(query.get("Limit"), USUAL_PAGE), number(query.get("Offset"), 0)
    mine = {"mid =": query["CustomID"]} if "CustomID" in query else {}
    _, rows = mailbox.search(KIND, mine | since, min(limit or LARGEST_PAGE, LARGEST_PAGE), offset)
    data = [_found(row, query) for row in rows]
    return Result(200, {"Count": len(data), "Data": data, "Total": len(data)})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {"StatusCode": status, "ErrorMessage": f"The sandbox was told to answer {status}."}


def _unfit(post: Post) -> Result | None:
    if not all(basic(post)):
        return _top(401, None, UNAUTHORIZED)
    if media_type(post) != JSON_TYPE:
        return _top(400, MALFORMED, f"Content-Type must be {JSON_TYPE}.")
    return None


def _top(status: int, code: str | None, message: str) -> Result:
    """Nothing of the call was sent."""
    named = {"ErrorCode": code} if code else {}
    told = {"ErrorIdentifier": str(uuid.uuid4()), **named, "StatusCode": status, "ErrorMessage": message}
    return Result(status, told)


def _item(data: Any, post: Post) -> tuple[dict[str, Any], Taken | None]:
    """What is answered for one message, and the message if it is in order."""
    try:
        message = MESSAGE.validate_python(data)
    except ValidationError as found:
        place, kind, text = first_wrong(found)
        code = CODES.get(kind, NOT_ALLOWED if kind in {"extra_forbidden", "literal_error"} else MISTYPED)
        return _error(code, f'"{place}": {text}', place), None
    wrong = _wrong(message)
    if wrong:
        return _error(*wrong), None
    taken = _taken(message, post)
    href = f"https://api.mailjet.com/v3/REST/message/{taken.provider_id}"
    to = {
        "Email": taken.recipient,
        "MessageUUID": str(uuid.uuid4()),
        "MessageID": int(taken.provider_id),
        "MessageHref": href,
    }
    return {"Status": "success", "CustomID": message.own_id, "To": [to], "Cc": [], "Bcc": []}, taken


def _wrong(message: Message) -> tuple[str, str, str] | None:
    """Code, words and the field concerned."""
    for place, address in (("From.Email", message.sender), ("To[0].Email", message.to[0])):
        if not ADDRESS.fullmatch(address.email):
            return NO_ADDRESS, f'"{address.email}" is an invalid email address.', place
    if not (message.text or message.html):
        return NO_BODY, 'At least "HTMLPart", "TextPart" or "TemplateID" must be provided.', "TextPart"
    if any(map(FORBIDDEN.fullmatch, message.headers)):
        return FORBIDDEN_HEADER, "The header cannot be customized using the Headers collection.", "Headers"
    lines = (message.subject, message.own_id, message.campaign, *message.headers, *message.headers.values())
    if not all(map(is_one_line, lines)):
        return NOT_ALLOWED, "Control characters are not allowed in Subject and Headers.", "Headers"
    return None


def _error(code: str, message: str, related: str) -> dict[str, Any]:
    error = {
        "ErrorIdentifier": str(uuid.uuid4()),
        "ErrorCode": code,
        "StatusCode": 400,
        "ErrorMessage": message,
        "ErrorRelatedTo": [related],
    }
    return {"Status": "error", "Errors": [error]}


def _taken(message: Message, post: Post) -> Taken:
    rest: Sequence[str] = ("reply_to", "headers", "payload", "campaign", "deduplicate", "opens", "clicks")
    sender = message.sender
    return Taken(
        kind=KIND,
        provider_id=str(FIRST_ID + secrets.randbelow(IDS)),
        mid=message.own_id,
        sender=f"{sender.name} <{sender.email}>" if sender.name else sender.email,
        recipient=message.to[0].email,
        subject=message.subject,
        at=stamp(post.at),
        body_hash=body_hash(message.subject, message.html, message.text),
        tag=message.campaign,
        stream="",
        fields=message.model_dump_json(by_alias=True, include=set(rest), exclude_unset=True),
        text=message.text,
        html=message.html,
    )


def _found(row: Any, query: Mapping[str, str]) -> dict[str, Any]:
    """Own id and address only where they are asked for."""
    shown = {
        "CustomID": row["mid"] if query.get("ShowCustomID") == "true" else "",
        "ContactAlt": row["recipient"] if query.get("ShowContactAlt") == "true" else "",
    }
    return {"ArrivedAt": row["at"], "ID": int(row["provider_id"]), "Status": "sent", **shown}


def _instant(text: str) -> datetime:
    """RFC 3339, or a second of the epoch; raises ValueError, OverflowError, OSError."""
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() else datetime.fromisoformat(text).astimezone(UTC)


VENDOR = Vendor(KIND, {"/v3.1/send": send}, refusal, {"/v3/REST/message": search})
