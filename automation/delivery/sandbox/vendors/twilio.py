"""Twilio's side: https://www.twilio.com/docs/messaging/api/message-resource"""

import json
import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from automation.delivery.sandbox.exchange import Post, Result, media_type, stamp
from automation.delivery.sandbox.mailbox import Mailbox, Taken, body_hash
from automation.delivery.sandbox.vendors import texting
from automation.delivery.sandbox.vendors.mails import basic
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "twilio"
MESSAGES_JSON = "/2010-04-01/Accounts/{sid}/Messages.json"
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
KEY_SID = re.compile(r"SK[0-9a-fA-F]{32}")
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")
NUMBER = re.compile(r"\+[1-9][0-9]{1,14}")
SENDER = re.compile(r"\+?[0-9]{3,15}|[A-Za-z0-9 ]{1,11}")
LONGEST_BODY, LARGEST_PAGE, USUAL_PAGE, LAST_PAGE = 1600, 1000, 50, 1_000_000
LONGEST_VALIDITY, MOST_DIGITS = 36_000, 10
AT = {"DateSent>": "at >=", "DateSent<": "at <="}
REFUSALS = {401: 20003, 429: 20429, 503: 20503}
# The numbers Twilio itself keeps for tests: https://www.twilio.com/docs/iam/test-credentials
MAGIC = {
    "+15005550001": (21211, "This phone number is invalid."),
    "+15005550002": (21612, "Twilio cannot route to this number."),
    "+15005550003": (21408, "The account lacks the permission to send to this region."),
    "+15005550004": (21610, "This number is blocked for this account."),
    "+15005550009": (21614, "This number cannot receive SMS messages."),
}

# The first that holds is the answer: https://www.twilio.com/docs/api/errors
WRONG: tuple[tuple[int, str, Callable[[Mapping[str, str]], bool]], ...] = (
    (21604, "A 'To' phone number is required.", lambda form: not form.get("To")),
    (21211, "Invalid 'To' phone number.", lambda form: not NUMBER.fullmatch(form["To"])),
    (21603, "A 'From' phone number is required.", lambda form: not (form.get("From") or "MessagingServiceSid" in form)),
    (21212, "Invalid 'From' number.", lambda form: "From" in form and not SENDER.fullmatch(form["From"])),
    (
        21705,
        "Invalid Messaging Service SID.",
        lambda form: "MessagingServiceSid" in form and not SERVICE_SID.fullmatch(form["MessagingServiceSid"]),
    ),
    (21602, "Message body is required.", lambda form: not form.get("Body")),
    (21617, "The message body exceeds 1600 characters.", lambda form: len(form["Body"]) > LONGEST_BODY),
    (21609, "Invalid 'StatusCallback' URL.", lambda form: not _is_url(form.get("StatusCallback"))),
    (21624, "Invalid validity period value.", lambda form: not _is_validity(form.get("ValidityPeriod"))),
)


def create(post: Post) -> Result:
    """POST /2010-04-01/Accounts/{sid}/Messages.json"""
    form = _unfit(post) or _form(post.body)
    if isinstance(form, Result):
        return form
    for code, text, wrong in WRONG:
        if wrong(form):
            return _error(400, code, text)
    if form["To"] in MAGIC:
        return _error(400, *MAGIC[form["To"]])
    taken = _taken(form, post)
    return Result(201, _resource(taken._asdict(), post.path["sid"]), (taken,))


def listed(mailbox: Mailbox, post: Post, query: Mapping[str, str]) -> Result:
    """GET /2010-04-01/Accounts/{sid}/Messages.json?To=&DateSent>=&DateSent<=&PageSize=&Page="""
    refused = _stranger(post)
    if refused:
        return refused
    try:
        since = {column: stamp(_instant(query[name])) for name, column in AT.items() if name in query}
        size, page = int(query.get("PageSize", USUAL_PAGE)), int(query.get("Page", 0))
    except (ValueError, OverflowError):
        return _error(400, 20001, "Invalid parameter.")
    if not 0 < size <= LARGEST_PAGE or not 0 <= page <= LAST_PAGE:
        return _error(400, 20006, "Page size or page is out of range.")
    to = {"recipient =": query["To"]} if "To" in query else {}
    total, rows = mailbox.search(KIND, to | since, size, page * size)
    messages = [_resource(dict(row), post.path["sid"]) for row in rows]
    return Result(200, {"messages": messages, **_paging(post.path["sid"], query, total, size, page)})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return _error_body(status, REFUSALS.get(status, 20500), f"The sandbox was told to answer {status}.")


def _unfit(post: Post) -> Result | None:
    refused = _stranger(post)
    if refused:
        return refused
    if media_type(post) != "application/x-www-form-urlencoded":
        return _error(415, 20415, "Unsupported media type.")
    return None


def _stranger(post: Post) -> Result | None:
    sid = post.path["sid"]
    user, password = basic(post)
    if not password or not (user == sid or KEY_SID.fullmatch(user)):
        return _error(401, 20003, "Authenticate")
    if not ACCOUNT_SID.fullmatch(sid):
        return _error(404, 20404, "The requested resource was not found.")
    return None


def _form(body: bytes) -> dict[str, str] | Result:
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict"))
    except ValueError:
        return _error(400, 20001, "The form cannot be read.")


def _is_url(text: str | None) -> bool:
    if text is None:
        return True
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _is_validity(text: str | None) -> bool:
    return text is None or (
        text.isascii() and text.isdigit() and len(text) < MOST_DIGITS and 1 <= int(text) <= LONGEST_VALIDITY
    )


def _taken(form: Mapping[str, str], post: Post) -> Taken:
    return Taken(
        kind=KIND,
        provider_id="SM" + uuid.uuid4().hex,
        mid=texting.own_id(form.get("StatusCallback", "")),
        sender=form.get("From") or form["MessagingServiceSid"],
        recipient=form["To"],
        subject="",
        at=stamp(post.at),
        body_hash=body_hash(form["Body"]),
        tag="",
        stream=form.get("MessagingServiceSid", ""),
        fields=json.dumps({name: text for name, text in form.items() if name not in {"To", "From", "Body"}}),
        text=form["Body"],
        html="",
    )


def _resource(taken: Mapping[str, Any], sid: str) -> dict[str, Any]:
    date = format_datetime(datetime.fromisoformat(taken["at"]))
    return {
        "sid": taken["provider_id"],
        "account_sid": sid,
        "to": taken["recipient"],
        "from": None if taken["stream"] else taken["sender"],
        "messaging_service_sid": taken["stream"] or None,
        "body": taken["text"],
        "status": "queued",
        "direction": "outbound-api",
        "num_segments": "1",
        "num_media": "0",
        "date_created": date,
        "date_updated": date,
        "date_sent": date,
        "error_code": None,
        "error_message": None,
        "price": None,
        "price_unit": None,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{sid}/Messages/{taken['provider_id']}.json",
    }


def _paging(sid: str, query: Mapping[str, str], total: int, size: int, page: int) -> dict[str, Any]:
    base = f"/2010-04-01/Accounts/{sid}/Messages.json"
    kept = {name: text for name, text in query.items() if name != "Page"}
    following = f"{base}?{urlencode({**kept, 'Page': page + 1})}" if (page + 1) * size < total else None
    return {"page": page, "page_size": size, "uri": base, "next_page_uri": following}


def _instant(text: str) -> datetime:
    """A date or an instant; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _error(status: int, code: int, message: str) -> Result:
    return Result(status, _error_body(status, code, message))


def _error_body(status: int, code: int, message: str) -> dict[str, Any]:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": message, "more_info": more, "status": status}


VENDOR = Vendor(KIND, {MESSAGES_JSON: create}, refusal, {MESSAGES_JSON: listed})
