"""Mailgun's side: https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages"""

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from email.feedparser import BytesFeedParser
from typing import Any

from automation.delivery.sandbox.exchange import Post, Result, is_one_line, media_type, stamp
from automation.delivery.sandbox.mailbox import Mailbox, Taken, body_hash
from automation.delivery.sandbox.vendors.mails import basic, named
from automation.delivery.sandbox.vendors.vendor import Vendor

KIND = "mailgun"
DOMAIN = re.compile(r"[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
PLAIN = frozenset({"from", "to", "subject", "text", "html", "recipient-variables"})
PREFIXES = ("h:", "v:", "o:", "t:")
LARGEST_OPTIONS, LARGEST_MESSAGE = 16 * 1024, 25_000_000
LARGEST_PAGE, USUAL_PAGE = 300, 100
Fields = dict[str, list[str]]


def send(post: Post) -> Result:
    """POST /v3/{domain}/messages"""
    refused = _stranger(post)
    if refused:
        return refused
    if media_type(post) != "multipart/form-data":
        return error(400, "The request must be multipart/form-data.")
    fields = _fields(post)
    wrong = "The form cannot be read." if fields is None else _wrong(fields)
    if fields is None or wrong:
        return error(400, wrong or "")
    taken = _taken(fields, post)
    return Result(200, {"id": f"<{taken.provider_id}>", "message": "Queued. Thank you."}, (taken,))


def events(mailbox: Mailbox, post: Post, query: Mapping[str, str]) -> Result:
    """GET /v3/{domain}/events?begin=&end=&ascending=&limit=&recipient=: every message is one event, "accepted"."""
    refused = _stranger(post)
    if refused:
        return refused
    try:
        edges = {"at >=": _instant(query.get("begin")), "at <=": _instant(query.get("end"))}
        limit = int(query.get("limit", USUAL_PAGE))
    except (ValueError, OverflowError, OSError):
        return error(400, "begin, end and limit are numbers.")
    if not 0 < limit <= LARGEST_PAGE:
        return error(400, f"limit is a number from 1 to {LARGEST_PAGE}.")
    where = {"stream =": post.path["domain"], **{column: value for column, value in edges.items() if value}}
    if "recipient" in query:
        where["recipient ="] = query["recipient"]
    _, rows = mailbox.search(KIND, where, limit, 0)
    items = [_event(row) for row in rows]
    return Result(200, {"items": items[::-1] if query.get("ascending") == "yes" else items, "paging": {}})


def refusal(status: int) -> dict[str, Any]:
    """The body of an answer with this status that was asked for by a fault."""
    return {"message": f"The sandbox was told to answer {status}."}


def error(status: int, message: str) -> Result:
    return Result(status, {"message": message})


def _stranger(post: Post) -> Result | None:
    user, password = basic(post)
    if user != "api" or not password:
        return Result(401, None, text="Forbidden")
    if not DOMAIN.fullmatch(post.path["domain"]):
        return error(404, f"Domain not found: {post.path['domain']}")
    return None


def _fields(post: Post) -> Fields | None:
    """The texts of the form's fields, in their order; None where it is no form."""
    parser = BytesFeedParser()
    parser.feed(b"Content-Type: " + post.headers["content-type"].encode("latin-1") + b"\r\n\r\n" + post.body)
    parts = parser.close()
    if not parts.is_multipart() or parts.defects:
        return None
    fields: Fields = {}
    for part in (one for one in parts.walk() if one is not parts):
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        try:
            fields.setdefault(str(name), []).append(content.decode() if isinstance(content, bytes) else "")
        except UnicodeDecodeError:
            return None
    return fields


def _wrong(fields: Fields) -> str | None:
    strange = [name for name in fields if name not in PLAIN and not name.startswith(PREFIXES)]
    if strange:
        return f"{strange[0]!a} is not a parameter of this call"
    for name in ("from", "to"):
        if name not in fields:
            return f"{name} parameter is missing"
        if len(fields[name]) > 1:
            return f"The sandbox takes one '{name}' a message"  # several would see each other
        if named(fields[name][0]) is None:
            return f"'{name}' parameter is not a valid address. please check documentation"
    if not {"text", "html"} & fields.keys():
        return "Need at least one of 'text', 'html' or 'template' parameters specified"
    return _too_much(fields)


def _too_much(fields: Fields) -> str | None:
    sizes = {name: sum(len(name) + len(text.encode()) for text in texts) for name, texts in fields.items()}
    if sum(size for name, size in sizes.items() if name.startswith(PREFIXES)) > LARGEST_OPTIONS:
        return "The o:, h:, v: and t: parameters together may have at most 16 kB"
    if sum(sizes.values()) > LARGEST_MESSAGE:
        return "Message is too large"
    lines = [name for name in fields if name.startswith(PREFIXES)]
    lines += [text for name in ("subject", *lines) for text in fields.get(name, ())]
    if not all(map(is_one_line, lines)):
        return "Control characters are not allowed in 'subject' and in headers"
    return None


def _taken(fields: Fields, post: Post) -> Taken:
    def one(name: str) -> str:
        return fields.get(name, [""])[0]

    rest = {name: texts for name, texts in fields.items() if name.startswith(PREFIXES)}
    return Taken(
        kind=KIND,
        provider_id=f"{post.at:%Y%m%d%H%M%S}.{uuid.uuid4().hex[:16]}@{post.path['domain']}",
        mid=one("v:mid"),
        sender=one("from"),
        recipient=named(one("to")) or "",
        subject=one("subject"),
        at=stamp(post.at),
        body_hash=body_hash(one("subject"), one("html"), one("text")),
        tag=one("o:tag"),
        stream=post.path["domain"],
        fields=json.dumps(rest),
        text=one("text"),
        html=one("html"),
    )


def _event(row: Any) -> dict[str, Any]:
    headers = {"message-id": row["provider_id"], "from": row["sender"], "subject": row["subject"]}
    return {
        "event": "accepted",
        "id": uuid.uuid5(uuid.NAMESPACE_OID, row["provider_id"]).hex,
        "timestamp": datetime.fromisoformat(row["at"]).timestamp(),
        "recipient": row["recipient"],
        "message": {"headers": headers},
        "tags": [row["tag"]] if row["tag"] else [],
        "user-variables": {"mid": row["mid"]} if row["mid"] else {},
    }


def _instant(text: str | None) -> str | None:
    """A second of the epoch; raises ValueError, OverflowError, OSError."""
    return stamp(datetime.fromtimestamp(float(text), UTC)) if text else None


VENDOR = Vendor(KIND, {"/v3/{domain}/messages": send}, refusal, {"/v3/{domain}/events": events})
