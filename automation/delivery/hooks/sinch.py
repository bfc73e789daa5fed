"""Sinch SMS: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Webhooks/"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import (
    encoded,
    json_of,
    knows_password,
    moment_of,
    number_of,
    objects,
    own_id,
    same,
    text_of,
    words_of,
)
from automation.delivery.replies import masked

SIGNATURE = "x-sinch-webhook-signature"
# https://developers.sinch.com/docs/sms/api-reference/sms/tag/Delivery-reports/
STATUSES: dict[str, Outcome] = {
    "QUEUED": "info",
    "DISPATCHED": "info",
    "DELIVERED": "delivered",
    "ABORTED": "bounced_soft",
    "EXPIRED": "bounced_soft",
    "UNKNOWN": "bounced_soft",
    "CANCELLED": "failed",
    "DELETED": "failed",
}
NOT_DELIVERED = frozenset({"FAILED", "REJECTED"})
# The same page: what it was that failed.
BY_CODE: dict[str, Outcome] = {"402": "bounced_hard", "404": "bounced_soft"}  # no route to the number; for a while


class Sinch:
    kind = "sinch"
    checked_with = "secret"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (a late repeat is no other)
        """A plan that does not sign has a password instead."""
        given = call.headers.get(SIGNATURE)
        if given is None:
            return knows_password(call.headers, key.secret)
        nonce, at = (call.headers.get(f"{SIGNATURE}-{name}", "") for name in ("nonce", "timestamp"))
        if not (given and nonce and at and key.secret):
            return False
        signed = b".".join((call.body, encoded(nonce), encoded(at)))
        return same(given, b64encode(hmac.digest(encoded(key.secret), signed, "sha256")))

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_inbound(one) if _type(one).startswith("mo_") else _event(one) for one in objects(json_of(call)))
        return [one for one in found if one is not None]


def _type(one: dict[str, Any]) -> str:
    return text_of(one.get("type")) or ""


def _event(one: dict[str, Any]) -> Event | None:
    """Of a report on a whole batch nothing is known but that it came."""
    batch, recipient = text_of(one.get("batch_id")), text_of(one.get("recipient"))
    status = (text_of(one.get("status")) or "").upper()
    if batch is None:
        return None
    code = text_of(one.get("code")) or ""
    return Event(
        ":".join((batch, recipient or "", status or _type(one))),
        "info" if recipient is None else _outcome(status, code),
        status or _type(one),
        moment_of(one.get("at")),
        own_id(one.get("client_reference")),
        batch,
        number_of(recipient),
        masked(f"code {code}") if code not in {"", "0"} else "",
    )


def _outcome(status: str, code: str) -> Outcome:
    if status in NOT_DELIVERED:
        return BY_CODE.get(code, "failed")
    return STATUSES.get(status, "info")


def _inbound(one: dict[str, Any]) -> InboundText | None:
    """A text alone: what is binary or a picture says nothing that we could read."""
    key, sender, text = text_of(one.get("id")), number_of(one.get("from")), words_of(one.get("body"))
    if _type(one) != "mo_text" or key is None or sender is None or text is None:
        return None
    return InboundText(key, sender, number_of(one.get("to")) or "", text, moment_of(one.get("received_at")))
