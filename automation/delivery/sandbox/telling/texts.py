"""What the calls about texts have in common: where an answer goes to, URLs with fields, and forms."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx

from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling.shapes import event_id
from automation.delivery.sandbox.telling.telling import Happened

FORM_TYPE, JSON_TYPE = "application/x-www-form-urlencoded", "application/json"
NUMBER, NAME = re.compile(r"\+?[0-9]{3,15}"), re.compile(r"[A-Za-z0-9 ]{1,11}")
# Of a text that a pool of numbers has sent: the number that Twilio keeps for tests as a good sender.
POOL = "+15005550006"
# Our line writes these as they are in a query, and several vendors sign the URL.
PLAIN = ":/?@,"
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def our_number(message: Taken) -> str | None:
    """Where its recipient can answer to; None for a sender of letters, to whom nobody can."""
    if NUMBER.fullmatch(message.sender):
        return message.sender
    return None if NAME.fullmatch(message.sender) else POOL


def bare(number: str) -> str:
    """Without the plus sign, as several vendors write numbers."""
    return number.removeprefix("+")


def event_hex(happened: Happened) -> str:
    """32 hexadecimal digits that follow from the event."""
    return UUID(event_id(happened)).hex


def event_letters(happened: Happened) -> str:
    """26 letters of a ULID that follow from the event, five bits each."""
    number = UUID(event_id(happened)).int
    return "".join(LETTERS[number >> 5 * place & 31] for place in reversed(range(26)))


def asked(url: str, fields: Mapping[str, str]) -> str:
    """The URL with these fields behind those that its query has, as it goes over the line."""
    query = urlencode(fields, safe=PLAIN)
    return str(httpx.URL(f"{url}{'&' if '?' in url else '?'}{query}" if fields else url))


def status_url(url: str, message: Taken) -> str:
    """With our own id in its query, where a message named it there."""
    return asked(url, {"mid": message.mid} if message.mid else {})


def form(url: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> httpx.Request:
    content = urlencode(fields).encode()
    return httpx.Request("POST", url, headers={"content-type": FORM_TYPE, **headers}, content=content)


def json_bytes(payload: Any) -> bytes:
    return json.dumps(payload, ensure_ascii=False).encode()


def json_call(url: str, content: bytes, headers: Mapping[str, str]) -> httpx.Request:
    return httpx.Request("POST", url, headers={"content-type": JSON_TYPE, **headers}, content=content)
