"""Plivo: https://docs.plivo.com/docs/messaging/concepts/signature-validation"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import asked_in, encoded, number_of, own_id, query_of, same, text_of, words_of
from automation.delivery.replies import masked

# https://docs.plivo.com/docs/messaging/concepts/message-states
STATUSES: dict[str, Outcome] = {"queued": "info", "sent": "info", "delivered": "delivered", "read": "opened"}
NOT_DELIVERED = frozenset({"undelivered", "failed", "rejected"})
# https://docs.plivo.com/docs/messaging/troubleshooting/error-codes
BY_CODE: dict[str, Outcome] = {
    "50": "bounced_hard",
    "70": "bounced_hard",
    "90": "bounced_hard",
    "20": "bounced_soft",
    "80": "bounced_soft",
    "300": "bounced_soft",
    "420": "bounced_soft",
    "1000": "bounced_soft",
    "200": "unsubscribed",
}
Fields = Sequence[tuple[str, str]]


class Plivo:
    kind = "plivo"
    checked_with = "token"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (no time is signed)
        given = call.headers.get("x-plivo-signature-v3", "")
        nonce = call.headers.get("x-plivo-signature-v3-nonce", "")
        signed = _signed(call)
        if not (given and nonce and key.token and signed):
            return False
        digest = hmac.digest(encoded(key.token), encoded(f"{signed}.{nonce}"), "sha256")
        expected = b64encode(digest).decode()
        return any(same(one.strip(), expected) for one in given.split(","))

    def told(self, call: HookCall) -> Sequence[Told]:
        fields = dict(asked_in(call.url) if call.method == "GET" else _form(call))
        found = _event(call, fields) if "Status" in fields else _inbound(fields)
        return [] if found is None else [found]


def _signed(call: HookCall) -> str:
    """The address without its query, then the query in order, then the fields in order; empty where there is none."""
    try:
        parts = urlsplit(call.url)
    except ValueError:
        return ""
    query, form = asked_in(call.url), [] if call.method == "GET" else _form(call)
    base = f"{parts.scheme}://{parts.netloc}{parts.path}"
    asked = "?" + "&".join(_joined(query, "=")) if query or form else ""
    return base + asked + ("." if query and form else "") + "".join(_joined(form, ""))


def _joined(fields: Fields, between: str) -> Iterable[str]:
    return (f"{name}{between}{value}" for name, value in sorted(fields))


def _form(call: HookCall) -> Fields:
    """Whatever type the call says that it is of: nothing may be read that is not signed."""
    return parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)


def _event(call: HookCall, fields: dict[str, str]) -> Event | None:
    """No credit (900, 910) is told of each text, and of the next post: that pauses the provider and is an alert.

    A long text goes in several parts; the first one's id is what the post was answered with."""
    uuid, status = text_of(fields.get("MessageUUID")), text_of(fields.get("Status"))
    if uuid is None or status is None:
        return None
    code = fields.get("ErrorCode", "")
    return Event(
        f"{uuid}:{status}",
        BY_CODE.get(code, "failed") if status in NOT_DELIVERED else STATUSES.get(status, "info"),
        status,
        None,
        own_id(query_of(call).get("mid")),
        text_of(fields.get("ParentMessageUUID")) or uuid,
        number_of(fields.get("To")),
        masked(f"error {code}") if code else "",
    )


def _inbound(fields: dict[str, str]) -> InboundText | None:
    uuid, sender = text_of(fields.get("MessageUUID")), number_of(fields.get("From"))
    text = words_of(fields.get("Text"))
    if uuid is None or sender is None or text is None:
        return None
    return InboundText(uuid, sender, number_of(fields.get("To")) or "", text)
