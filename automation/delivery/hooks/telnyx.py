"""Telnyx: https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import (
    asked_in,
    decoded,
    encoded,
    inside,
    json_of,
    moment_of,
    objects,
    own_id,
    text_of,
    words_of,
)
from automation.delivery.hooks.standard import is_young
from automation.delivery.replies import masked

NOT_DELIVERED = frozenset({"expired", "sending_failed", "delivery_failed"})
# https://developers.telnyx.com/docs/messaging/messages/error-codes
BY_CODE: dict[str, Outcome] = {
    "40001": "bounced_hard",
    "40008": "bounced_hard",
    "40012": "bounced_hard",
    "40004": "bounced_soft",
    "40005": "bounced_soft",
    "40006": "bounced_soft",
}
# In the answer to a post it is a STOP; after that it has also been seen as a number that cannot be reached.
OPTED_OUT = "40300"
OPT_OUT_TITLES = ("stop", "opt-out", "opt out", "opted out")
WORDS: dict[str, Literal["stop", "start", "help"]] = {"STOP": "stop", "START": "start", "HELP": "help"}
OWN_TAG = "mid="


class Telnyx:
    kind = "telnyx"
    checked_with = "public"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        at = call.headers.get("telnyx-timestamp", "")
        signature = decoded(call.headers.get("telnyx-signature-ed25519", ""))
        public = decoded((key.public or "").strip())
        if not (signature and public and is_young(at, now)):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, encoded(at) + b"|" + call.body)
        except (InvalidSignature, ValueError):
            return False
        return True

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_told(inside(one, "data")) for one in objects(json_of(call)))
        return [one for one in found if one is not None]


def _told(data: Any) -> Told | None:
    key, name = text_of(inside(data, "id")), text_of(inside(data, "event_type"))
    if key is None or name is None:
        return None
    at, payload = moment_of(data.get("occurred_at")), data.get("payload")
    return _inbound(key, payload, at) if name == "message.received" else _event(key, name, payload, at)


def _event(key: str, name: str, payload: Any, at: datetime | None) -> Event:
    to = next(objects(inside(payload, "to")), {})
    errors = list(objects(inside(payload, "errors")))
    status = text_of(to.get("status"))
    final = name == "message.finalized" and status is not None
    words = (f"{one.get('code') or ''} {one.get('title') or ''}".strip() for one in errors)
    return Event(
        key,
        _outcome(status, errors) if final else "info",
        f"{name}:{status}" if final else name,
        at,
        _own_id(payload),
        text_of(inside(payload, "id")),
        text_of(to.get("phone_number")),
        masked("; ".join(words)),
    )


def _outcome(status: str | None, errors: list[dict[str, Any]]) -> Outcome:
    if status == "delivered":
        return "delivered"
    if status not in NOT_DELIVERED:
        return "info"
    return next(_known(errors), "failed")


def _known(errors: list[dict[str, Any]]) -> Iterator[Outcome]:
    for one in errors:
        code, title = str(one.get("code")), str(one.get("title") or "").casefold()
        if code == OPTED_OUT and (not title or any(words in title for words in OPT_OUT_TITLES)):
            yield "unsubscribed"
        elif code in BY_CODE:
            yield BY_CODE[code]


def _own_id(payload: Any) -> int | None:
    """From what is signed: the address of the call itself is not."""
    tags = inside(payload, "tags")
    for tag in tags if isinstance(tags, list) else []:
        if isinstance(tag, str) and tag.startswith(OWN_TAG):
            return own_id(tag.removeprefix(OWN_TAG))
    url = inside(payload, "webhook_url")
    return own_id(dict(asked_in(url)).get("mid")) if isinstance(url, str) else None


def _inbound(key: str, payload: Any, at: datetime | None) -> InboundText | None:
    sender, text = text_of(inside(payload, "from", "phone_number")), words_of(inside(payload, "text"))
    if sender is None or text is None:
        return None
    recipient = text_of(next(objects(inside(payload, "to")), {}).get("phone_number"))
    return InboundText(key, sender, recipient or "", text, at, WORDS.get(str(inside(payload, "autoresponse_type"))))
