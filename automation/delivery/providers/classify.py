"""What an HTTP status means where a vendor's own table says nothing else.

Where the two disagree the delivery promise wins over the generic mapping of providers: 408 is ambiguous, and a 2xx that
cannot be understood was taken.
"""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Literal

from automation.delivery.replies import Accepted, Answer, Failure, Later, Refused, Reply, Unknown, masked
from automation.delivery.sought import NoIdea

Scope = Literal["recipient", "message", "account"]

LONGEST_WAIT = timedelta(hours=1)
# A 404 is a wrong base URL or account id, never the message's fault: a typing error in config.toml must not eat a day.
ACCOUNT = frozenset({401, 402, 403, 404, 407})
# 408: the provider may have read it all. 409: "same key in progress"; with a key the same bytes go again, without
# one nobody knows.
AMBIGUOUS = frozenset({408, 409})
NO_PROVIDER_ID = "no_provider_id"
JSON = re.compile(r"application/(json|x-amz-json-1\.[01]|[!-~]+\+json)")
PROVIDER_ID = re.compile(r"[!-~]{1,100}")
NAMED_ADDRESS = re.compile(r"(.*)<([^<>]+)>\s*")


def from_status(answer: Answer, now: datetime, detail: str = "") -> Reply:
    """The reply that status and headers alone prove. `detail` is the vendor's reason, if it gave one."""
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return taken_without_id(status)
    if status == 429 or (status == 503 and "retry-after" in answer.headers):  # noqa: PLR2004 (RFC 6585 and 9110)
        return Later(retry_after(answer, now), f"http_{status}", throttled=True, http_status=status)
    if status >= 500 or status < 200 or status in AMBIGUOUS:  # noqa: PLR2004 (server errors, and informational leftovers)
        return Unknown(f"http_{status}", http_status=status)
    # A redirect is configuration: following it would show token and message to somebody else.
    scope: Scope = "account" if status < 400 or status in ACCOUNT else "message"  # noqa: PLR2004 (redirects)
    return Refused(f"http_{status}", scope, masked(detail), http_status=status)


def taken_without_id(status: int) -> Accepted:
    return Accepted(None, (NO_PROVIDER_ID,), http_status=status)


def provider_id(value: Any) -> str | None:
    """The vendor's id of a message; None for what none has and no database may keep."""
    return value if isinstance(value, str) and PROVIDER_ID.fullmatch(value) else None


def accepted(value: Any, status: int) -> Accepted:
    """Taken, under that id if it is one."""
    found = provider_id(value)
    return taken_without_id(status) if found is None else Accepted(found, http_status=status)


def from_failure(failure: Failure) -> Reply:
    """Nothing written: not taken. Anything else: nobody knows."""
    if failure.before_first_byte:
        return Later(None, failure.reason, throttled=False)
    return Unknown(failure.reason)


def each(reply: Reply, count: int) -> list[Reply]:
    """The same reply for every message of a call. A whole batch is never refused for the sake of one recipient."""
    if isinstance(reply, Refused) and reply.scope != "account" and count > 1:
        reply = replace(reply, scope="message", suppress=None, whole_call=True)
    return [reply] * count


def no_idea(answer: Answer) -> NoIdea:
    """The answer to a look-up is none."""
    return NoIdea(f"http_{answer.status}" if answer.status != 200 else "not_understood")  # noqa: PLR2004 (the only success there is)


def json_body(answer: Answer) -> Any:
    """The JSON in it, or None: proxies answer HTML, and some answers are empty or cut off."""
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not answer.complete or not JSON.fullmatch(kind):
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def longest_wait(answer: Answer, now: datetime, *headers: str) -> timedelta | None:
    """The longest of what these headers ask for, each as seconds or as an HTTP date."""
    return longest_of(*(retry_after(answer, now, header) for header in headers))


def retry_after(answer: Answer, now: datetime, header: str = "retry-after") -> timedelta | None:
    """That header as seconds or as an HTTP date, at most one hour, never negative; None when absent or garbage."""
    text = answer.headers.get(header, "").strip()
    wait = _seconds(text) if text.isascii() and text.isdigit() else until(text, now)
    return None if wait is None else max(timedelta(0), min(wait, LONGEST_WAIT))


def with_own_id(url: str, message_id: int) -> str:
    """The callback's URL with our own id, for a vendor that has no other field for it."""
    return f"{url}{'&' if '?' in url else '?'}mid={message_id}"


def until(text: str, now: datetime) -> timedelta | None:
    """How long it is until that date, written as in HTTP or mail; None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now


def longest_of(*waits: timedelta | None) -> timedelta | None:
    """The longest of what headers and words ask for, at most one hour, never negative; None when none says anything."""
    asked = max((wait for wait in waits if wait is not None), default=None)
    return None if asked is None else max(timedelta(0), min(asked, LONGEST_WAIT))


def mailbox(sender: str) -> tuple[str, str]:
    """Name and address of `Name <address>`, for vendors that want them apart; the name may be empty."""
    named = NAMED_ADDRESS.fullmatch(sender)
    if named is None:
        return "", sender.strip()
    name = named[1].strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return name, named[2].strip()


def _seconds(text: str) -> timedelta:
    longest = int(LONGEST_WAIT.total_seconds())
    return timedelta(seconds=longest if len(text) > len(str(longest)) else int(text))
