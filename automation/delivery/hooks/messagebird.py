"""MessageBird's older API: https://developers.messagebird.com/api/#verifying-http-requests"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import (
    encoded,
    form_of,
    json_of,
    moment_of,
    number_of,
    own_id,
    query_of,
    text_of,
    words_of,
)
from automation.delivery.hooks.tokens import claims_of, has_hash
from automation.delivery.replies import masked

ISSUER = "MessageBird"
# https://developers.messagebird.com/api/sms-messaging/#sms-statuses
STATUSES: dict[str, Outcome] = {
    "scheduled": "info",
    "buffered": "info",
    "sent": "info",
    "delivered": "delivered",
    "expired": "bounced_soft",
}
NOT_DELIVERED = "delivery_failed"
# The same page: `statusReason`
REASONS: dict[str, Outcome] = {
    "unknown subscriber": "bounced_hard",
    "unavailable subscriber": "bounced_soft",
    "opted out": "unsubscribed",
}
# https://docs.bird.com/api/channels-api/message-status-and-interactions/message-failure-sources/sms-platform-extended-error-codes
BY_CODE: dict[str, Outcome] = {"1": "bounced_hard", "5": "bounced_hard", "27": "bounced_soft"}


class MessageBird:
    kind = "messagebird"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        claims = claims_of(call.headers.get("messagebird-signature-jwt", ""), key.secret, now)
        if claims is None or claims.get("iss") != ISSUER or not {"nbf", "exp"} <= claims.keys():
            return False
        return has_hash(claims, "url_hash", encoded(call.url)) and _has_body(claims, call.body)

    def told(self, call: HookCall) -> Sequence[Told]:
        body = json_of(call)
        fields = {**query_of(call), **(body if isinstance(body, dict) else form_of(call))}
        found = _event(fields) if "status" in fields else _inbound(fields)
        return [] if found is None else [found]


def _has_body(claims: dict[str, Any], body: bytes) -> bool:
    return has_hash(claims, "payload_hash", body) if body else not claims.get("payload_hash")


def _event(fields: dict[str, Any]) -> Event | None:
    message, status = text_of(fields.get("id")), text_of(fields.get("status"))
    recipient = text_of(fields.get("recipient"))
    if message is None or status is None:
        return None
    reason, code = text_of(fields.get("statusReason")) or "", text_of(fields.get("statusErrorCode")) or ""
    return Event(
        f"{message}:{recipient or ''}:{status}",
        _failure(reason, code) if status == NOT_DELIVERED else STATUSES.get(status, "info"),
        status,
        _moment(fields.get("statusDatetime")),
        own_id(fields.get("reference")),
        message,
        number_of(recipient),
        masked(f"{reason} {code}".strip()),
    )


def _failure(reason: str, code: str) -> Outcome:
    """By its reason; without one, by its code."""
    return REASONS.get(reason.casefold(), "failed") if reason else BY_CODE.get(code, "failed")


def _moment(value: Any) -> datetime | None:
    """In a query the plus sign of its offset is a blank."""
    return moment_of(value.replace(" ", "+") if isinstance(value, str) else value)


def _inbound(fields: dict[str, Any]) -> InboundText | None:
    key, sender, text = text_of(fields.get("id")), number_of(fields.get("originator")), words_of(fields.get("body"))
    if key is None or sender is None or text is None:
        return None
    recipient = number_of(fields.get("recipient")) or ""
    return InboundText(key, sender, recipient, text, _moment(fields.get("createdDatetime")))
