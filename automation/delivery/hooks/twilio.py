"""Twilio's callbacks: https://www.twilio.com/docs/usage/webhooks/webhooks-security"""

import hmac
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from automation.delivery.hooks.hook import Event, HookCall, HookKey, InboundText, Outcome, Told
from automation.delivery.hooks.reading import form_of, own_id, query_of, same, text_of, words_of
from automation.delivery.replies import masked

DEFAULT_PORTS = {"https": 443, "http": 80}
# https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
STATUSES: dict[str, Outcome] = {
    "accepted": "info",
    "scheduled": "info",
    "queued": "info",
    "sending": "info",
    "sent": "info",
    "delivered": "delivered",
    "read": "opened",
    "canceled": "failed",
}
NOT_DELIVERED = frozenset({"undelivered", "failed"})
# https://www.twilio.com/docs/api/errors
BY_CODE: dict[str, Outcome] = {
    "30001": "bounced_soft",
    "30003": "bounced_soft",
    "30008": "bounced_soft",
    "30004": "bounced_hard",
    "30005": "bounced_hard",
    "30006": "bounced_hard",
    "21610": "unsubscribed",
}
WORDS: dict[str, Literal["stop", "start", "help"]] = {"STOP": "stop", "START": "start", "HELP": "help"}


class Twilio:
    kind = "twilio"
    checked_with = "token"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:  # noqa: ARG002 (no time is signed)
        given = call.headers.get("x-twilio-signature", "")
        if not given or not key.token or not _has_body(call):
            return False
        signed = "".join(_fields(call))
        algorithm = "sha256" if "HMAC_SHA256" in call.headers.get(SETTINGS, "") else "sha1"
        return any(same(given, _signature(url + signed, key.token, algorithm)) for url in _urls(call.url))

    def told(self, call: HookCall) -> Sequence[Told]:
        form = form_of(call)
        found = _event(call, form) if "MessageStatus" in form else _inbound(form)
        return [] if found is None else [found]


SETTINGS = "x-twilio-webhooks-signature-settings"


def _event(call: HookCall, form: dict[str, str]) -> Event | None:
    sid, status = text_of(form.get("MessageSid")), text_of(form.get("MessageStatus"))
    if sid is None or status is None:
        return None
    code = form.get("ErrorCode", "")
    return Event(
        f"{sid}:{status}",
        BY_CODE.get(code, "failed") if status in NOT_DELIVERED else STATUSES.get(status, "info"),
        status,
        None,
        own_id(query_of(call).get("mid")),
        sid,
        text_of(form.get("To")),
        masked(f"error {code}") if code else "",
    )


def _inbound(form: dict[str, str]) -> InboundText | None:
    sid, sender = text_of(form.get("MessageSid")), text_of(form.get("From"))
    recipient, text = text_of(form.get("To")) or "", words_of(form.get("Body"))
    if sid is None or sender is None or text is None:
        return None
    return InboundText(sid, sender, recipient, text, None, WORDS.get(form.get("OptOutType", "")))


def _has_body(call: HookCall) -> bool:
    """A body that is no form is vouched for by its hash in the query, which is signed."""
    wanted = query_of(call).get("bodySHA256")
    return wanted is None or same(wanted.lower(), sha256(call.body).hexdigest())


def _fields(call: HookCall) -> Iterator[str]:
    """Names in order; of each its values in order, one of those that are the same. Whatever type the call says that it
    is of, nothing may be read that is not signed; a body with its hash in the query is.
    """
    if "bodySHA256" in query_of(call):
        return
    values: dict[str, set[str]] = {}
    for name, value in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        values.setdefault(name, set()).add(value)
    for name in sorted(values):
        for value in sorted(values[name]):
            yield name + value


def _urls(url: str) -> Iterator[str]:
    """As it is, and with or without the port that goes without saying: a proxy may have changed that."""
    yield url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return
    usual = DEFAULT_PORTS.get(parts.scheme)
    if port is None and usual is not None:
        yield parts._replace(netloc=f"{parts.netloc}:{usual}").geturl()
    elif port == usual:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()


def _signature(text: str, token: str, algorithm: str) -> str:
    return b64encode(hmac.digest(token.encode(), text.encode(), algorithm)).decode()
