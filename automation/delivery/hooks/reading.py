"""Reading what vendors write: JSON that may be anything, times in several forms, our own id."""

import json
import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl

from automation.delivery.hooks.hook import HookCall
from automation.delivery.replies import masked

OWN_ID = re.compile(r"[1-9][0-9]{0,18}")
LARGEST_ID = 2**63 - 1
BARE_NUMBER = re.compile(r"[1-9][0-9]{6,14}")
MILLISECONDS = 1000
IN_MILLISECONDS = 10**11  # a number of seconds beyond it lies in the year 5138
LONGEST_REASON = 2000  # of which the first line is kept
LONGEST = 500  # characters of an id or an address; an index of PostgreSQL takes 2,700 bytes


def json_of(call: HookCall) -> Any:
    """The body, or None where it is no JSON."""
    return json_text(call.body)


def json_text(text: str | bytes) -> Any:
    """None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """The objects of an array, or the one that it is."""
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, dict):
            yield one


def inside(value: Any, *path: str) -> Any:
    """What lies at this path of objects, or None."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def form_of(call: HookCall) -> dict[str, str]:
    """The fields of a form; of several with one name the last."""
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def query_of(call: HookCall) -> dict[str, str]:
    return dict(asked_in(call.url))


def asked_in(url: str) -> list[tuple[str, str]]:
    """The fields of an address's query, in its order."""
    return parse_qsl(url.partition("#")[0].partition("?")[2], keep_blank_values=True)


def own_id(value: Any) -> int | None:
    """Our message's id as it went out: digits; None for whatever else comes back."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = int(text) if OWN_ID.fullmatch(text) else 0
    return found if 0 < found <= LARGEST_ID else None


def text_of(value: Any) -> str | None:
    """A text, or a number written as one; None for anything else, for what is empty, longer than any id, or such that
    no database keeps it.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    return text if 0 < len(text) <= LONGEST and text.isprintable() else None


def number_of(value: Any) -> str | None:
    """A phone number with the plus sign that several vendors leave out; a short code or a name stays as it is."""
    text = text_of(value)
    return f"+{text}" if text is not None and BARE_NUMBER.fullmatch(text) else text


def words_of(value: Any) -> str | None:
    """What somebody wrote, to the letter, but for what no database keeps: NUL and halves of characters."""
    return value.encode("utf-8", "replace").decode().replace("\0", "") if isinstance(value, str) else None


def reason_of(*parts: Any) -> str:
    """A vendor's words about it, one after the other, without an address."""
    words = (str(part) for part in parts if isinstance(part, str | int) and not isinstance(part, bool))
    return masked(" ".join(words)[:LONGEST_REASON])


def digest_of(*parts: Any) -> str:
    """A key where the vendor gives none: as long for long links as for none, and it names nobody."""
    scalars = [part if isinstance(part, str | int | float) else None for part in parts]
    return sha256(json.dumps(scalars).encode()).hexdigest()


def short(key: str) -> str:
    """A key that fits into an index, whatever the vendor made it of."""
    return key if len(key) <= LONGEST else digest_of(key)


def moment_of(value: Any) -> datetime | None:
    """An instant as ISO 8601 with an offset, as a number of seconds or milliseconds, or as text of such a number."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float) or (isinstance(value, str) and value.replace(".", "", 1).isdigit()):
            number = float(value)
            return datetime.fromtimestamp(number / MILLISECONDS if number > IN_MILLISECONDS else number, UTC)
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None
    except (ValueError, OverflowError, OSError):
        return None


def decoded(text: str) -> bytes | None:
    """Base64, also without its padding; None for anything else."""
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (Error, ValueError):
        return None


def encoded(text: str) -> bytes:
    """As UTF-8, also what is none: half a character in a header is no reason to stumble."""
    return text.encode("utf-8", "surrogatepass")


def same(left: str | bytes, right: str | bytes) -> bool:
    """Compared in a time that tells nothing."""
    one, other = (encoded(part) if isinstance(part, str) else part for part in (left, right))
    return compare_digest(one, other)


def knows_password(headers: Mapping[str, str], secret: str | None) -> bool:
    """For vendors that sign nothing: the secret as the password of basic authentication or as a bearer token."""
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    given: bytes | None = None
    if scheme.lower() == "bearer":
        given = encoded(rest.strip())
    elif scheme.lower() == "basic":
        given = (decoded(rest.strip()) or b"").partition(b":")[2]
    return bool(secret and given) and same(given or b"", secret or "")
