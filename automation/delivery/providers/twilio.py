"""Twilio: https://www.twilio.com/docs/messaging/api/message-resource"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from urllib.parse import urlencode

import httpx

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Accepted, Answer, Later, Refused, Reply, masked
from automation.delivery.sought import Finding, Found, NotThere, Sought

SANDBOX_SID = "AC" + "0" * 32
ACCOUNT_SID, SERVICE_SID = re.compile(r"AC[0-9a-fA-F]{32}"), re.compile(r"MG[0-9a-fA-F]{32}")
MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-fA-F]{32}")
LONGEST_VALIDITY = timedelta(seconds=36_000)
THROTTLED, QUEUE_FULL = 20429, 21611
PAGE = 100
CLOCKS = timedelta(seconds=30)  # that theirs and ours may differ; theirs tells whole seconds


class Refusal(NamedTuple):
    reason: str
    scope: Literal["recipient", "message", "account"]
    suppress: Literal["unsubscribed", "bounced_hard"] | None = None


# https://www.twilio.com/docs/api/errors
REFUSALS = {
    21211: Refusal("invalid_number", "recipient", "bounced_hard"),
    21214: Refusal("unreachable_number", "recipient", "bounced_hard"),
    21217: Refusal("invalid_number", "recipient", "bounced_hard"),
    21614: Refusal("not_a_mobile_number", "recipient", "bounced_hard"),
    21610: Refusal("opted_out", "recipient", "unsubscribed"),
    # The route between this sender and this number: another sender may reach it.
    21612: Refusal("no_route", "recipient"),
    21602: Refusal("empty_body", "message"),
    21617: Refusal("body_too_long", "message"),
    **dict.fromkeys(range(21619, 21624), Refusal("bad_media", "message")),
    20003: Refusal("bad_credentials", "account"),
    20005: Refusal("account_not_active", "account"),
    20404: Refusal("account_not_found", "account"),
    21408: Refusal("region_not_enabled", "account"),
    21603: Refusal("no_sender", "account"),
    21606: Refusal("sender_not_usable", "account"),
    21608: Refusal("trial_account", "account"),
    **dict.fromkeys((21659, 21660, 21661), Refusal("sender_not_owned", "account")),
    30034: Refusal("sender_not_registered", "account"),
}


class Twilio:
    kind = "twilio"
    base_url = "https://api.twilio.com"
    wants = (
        Want("account", ACCOUNT_SID, 'write the account SID, "AC" and 32 hexadecimal digits', SANDBOX_SID),
        Want("messaging_service", SERVICE_SID, 'write its SID, "MG" and 32 hexadecimal digits'),
    )
    batch_limit = 1
    batch_bytes = 1_000_000
    key_window = None
    # A text that waits in Twilio's queue longer than 10 hours is given up there.
    looked_up_for = timedelta(days=7)

    def size(self, message: Outgoing, account: Account) -> int:
        return len(_form(message, account))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Twilio takes no key)
        (message,) = messages
        headers = {**_headers(account), "Content-Type": "application/x-www-form-urlencoded"}
        return httpx.Request("POST", _url(account), headers=headers, content=_form(message, account))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        return classify.each(_reply(classify.json_body(answer), answer, now), len(messages))

    def look_up(self, sought: Sought, account: Account) -> httpx.Request:
        """By number and time: Twilio's list has no field for our id."""
        since = (sought.since - CLOCKS).strftime("%Y-%m-%dT%H:%M:%SZ")
        query = {"To": sought.recipient, "DateSent>": since, "PageSize": str(PAGE)}
        return httpx.Request("GET", _url(account), params=query, headers=_headers(account))

    def found(self, answer: Answer, sought: Sought) -> Finding:
        """Only what cannot be mistaken: one text in the whole list is the same to the letter and was made then."""
        body = classify.json_body(answer)
        items = body.get("messages") if isinstance(body, dict) else None
        if answer.status != 200 or not isinstance(items, list):  # noqa: PLR2004 (the only success there is)
            return classify.no_idea(answer)
        alike = [item for item in items if isinstance(item, dict) and _is_alike(item, sought)]
        if len(alike) != 1 or body.get("next_page_uri"):
            return NotThere()
        sid = alike[0].get("sid")
        known = isinstance(sid, str) and MESSAGE_SID.fullmatch(sid)
        return Found(str(sid), has_our_id=False) if known else NotThere()


def _is_alike(item: dict[str, Any], sought: Sought) -> bool:
    same = (item.get("to"), item.get("body")) == (sought.recipient, sought.text)
    made = _instant(item.get("date_created"))
    in_time = made is not None and sought.since - CLOCKS <= made <= sought.until + CLOCKS
    return same and in_time and str(item.get("direction")).startswith("outbound")


def _instant(text: Any) -> datetime | None:
    """RFC 2822, as `Mon, 02 Mar 2026 11:00:00 +0000`."""
    try:
        found = parsedate_to_datetime(str(text))
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _headers(account: Account) -> dict[str, str]:
    secret = b64encode(f"{account.account}:{account.token}".encode()).decode()
    return {"Accept": "application/json", "Authorization": f"Basic {secret}"}


@lru_cache(maxsize=64)  # reading an address takes as long as writing the message into a form
def _url(account: Account) -> httpx.URL:
    return httpx.URL(f"{account.base_url}/2010-04-01/Accounts/{account.account}/Messages.json")


def _form(message: Outgoing, account: Account) -> bytes:
    fields = [("To", message.recipient)]
    if account.messaging_service:
        fields.append(("MessagingServiceSid", account.messaging_service))
    else:
        fields.append(("From", message.sender))
    fields.append(("Body", message.text))
    if account.callback_url:
        # Its signature covers the query.
        fields.append(("StatusCallback", classify.with_own_id(account.callback_url, message.message_id)))
    if message.validity is not None:
        fields.append(("ValidityPeriod", str(_validity(message.validity))))
    return urlencode(fields).encode()


def _validity(wanted: timedelta) -> int:
    """Whole seconds, rounded down so that nothing leaves after the window."""
    return max(1, int(min(wanted, LONGEST_VALIDITY).total_seconds()))


def _reply(body: Any, answer: Answer, now: datetime) -> Reply:
    found = body if isinstance(body, dict) else {}
    status = answer.status
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        sid = found.get("sid")
        known = isinstance(sid, str) and MESSAGE_SID.fullmatch(sid)
        return Accepted(sid, http_status=status) if known else classify.taken_without_id(status)
    code = found["code"] if isinstance(found.get("code"), int) else None
    text = str(found.get("message", ""))
    # A 429 is documented as never processed, so it is always safe to repeat.
    if code in {THROTTLED, QUEUE_FULL}:
        return Later(classify.retry_after(answer, now), f"twilio_{code}", throttled=True, http_status=status)
    # A server error tells nothing for certain, whatever code came with it.
    if code in REFUSALS and status < 500:  # noqa: PLR2004 (server errors)
        reason, scope, suppress = REFUSALS[code]
        return Refused(reason, scope, masked(text), suppress, http_status=status)
    return classify.from_status(answer, now, text)
