"""SendGrid's event webhook: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import (
    decoded,
    encoded,
    json_of,
    moment_of,
    objects,
    own_id,
    reason_of,
    text_of,
)

# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
EVENTS: dict[str, Outcome] = {
    "click": "clicked",
    "delivered": "delivered",
    "group_unsubscribe": "unsubscribed",
    "open": "opened",
    "spamreport": "complained",
    "unsubscribe": "unsubscribed",
}
# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event#bounce-and-blocked-events
BOUNCES: dict[str, Outcome] = {"bounce": "bounced_hard", "blocked": "bounced_soft"}
# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event: by its reason, in its own words
DROPS: dict[str, Outcome] = {
    "Bounced Address": "bounced_hard",
    "Invalid": "bounced_hard",
    "Spam Reporting Address": "complained",
    "Unsubscribed Address": "unsubscribed",
}


class SendGrid:
    kind = "sendgrid"
    checked_with = "public"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (whether a repeat is signed afresh is not documented)
        public, signature = _public(key), decoded(call.headers.get(SIGNATURE, ""))
        at = call.headers.get(TIMESTAMP, "")
        if public is None or not signature or not at:
            return False
        try:
            public.verify(signature, encoded(at) + call.body, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True

    def told(self, call: HookCall) -> Sequence[Told]:
        found = (_event(one) for one in objects(json_of(call)))
        return [event for event in found if event is not None]


def _public(key: HookKey) -> EllipticCurvePublicKey | None:
    """As SendGrid shows it: DER in base64."""
    try:
        found = load_der_public_key(decoded("".join((key.public or "").split())) or b"")
    except (ValueError, UnsupportedAlgorithm):
        return None
    return found if isinstance(found, EllipticCurvePublicKey) and isinstance(found.curve, SECP256R1) else None


def _event(one: dict[str, Any]) -> Event | None:
    key, name = text_of(one.get("sg_event_id")), text_of(one.get("event"))
    if key is None or name is None:
        return None
    return Event(
        key,
        _outcome(one, name),
        name,
        moment_of(one.get("timestamp")),
        own_id(one.get("mid")),
        # What follows the first dot was not in the answer to our call.
        (text_of(one.get("sg_message_id")) or "").partition(".")[0] or None,
        text_of(one.get("email")),
        reason_of(one.get("type"), one.get("reason"), one.get("response")),
    )


def _outcome(one: dict[str, Any], name: str) -> Outcome:
    if name == "bounce":
        return BOUNCES.get(text_of(one.get("type")) or "", "bounced_soft")
    if name == "dropped":
        return DROPS.get(text_of(one.get("reason")) or "", "failed")
    return EVENTS.get(name, "info")
