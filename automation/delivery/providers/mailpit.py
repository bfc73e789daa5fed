"""Mailpit, which catches mail while one develops: https://mailpit.axllent.org/docs/api-v1/view.html

Nothing reaches anybody, whoever the recipient is.
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx
import orjson

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import classify
from automation.delivery.providers.adapter import Account, Want
from automation.delivery.replies import Answer, Refused, Reply, masked

# There is no field for it.
OWN_ID = "X-Message-Id"


class Mailpit:
    kind = "mailpit"
    base_url = "http://127.0.0.1:8025"
    wants = (
        Want(
            "account",
            re.compile(r"[^:\s]+"),
            "write the name of its basic authentication, or leave it out where it has none",
        ),
    )
    batch_limit = 1
    # How much it takes is a setting of its own.
    batch_bytes = 50_000_000
    key_window = None

    def size(self, message: Outgoing, account: Account) -> int:  # noqa: ARG002 (nothing of the account is in the body)
        return len(_encoded(message))

    def request(self, messages: Sequence[Outgoing], account: Account, key: str | None) -> httpx.Request:  # noqa: ARG002 (Mailpit takes no key)
        (message,) = messages
        headers = {"Accept": "application/json", "Content-Type": "application/json", **_authorization(account)}
        return httpx.Request("POST", f"{account.base_url}/api/v1/send", headers=headers, content=_encoded(message))

    def replies(self, answer: Answer, messages: Sequence[Outgoing], now: datetime) -> list[Reply]:
        body = classify.json_body(answer)
        return classify.each(_reply(body if isinstance(body, dict) else {}, answer, now), len(messages))


def _authorization(account: Account) -> dict[str, str]:
    if account.account is None:
        return {}
    return {"Authorization": f"Basic {b64encode(f'{account.account}:{account.token}'.encode()).decode()}"}


def _encoded(message: Outgoing) -> bytes:
    fields: dict[str, Any] = {
        "From": _named(message.sender),
        "To": [{"Email": message.recipient}],
        **({"ReplyTo": [_named(message.reply_to)]} if message.reply_to else {}),
        "Subject": message.subject,
        "Text": message.text,
        "HTML": message.html,
        "Headers": {**dict(sorted(message.headers.items())), OWN_ID: str(message.message_id)},
        "Tags": [message.tag],
    }
    return orjson.dumps(fields)


def _named(mailbox: str) -> dict[str, str]:
    name, address = classify.mailbox(mailbox)
    return {"Email": address, "Name": name}


def _reply(body: dict[str, Any], answer: Answer, now: datetime) -> Reply:
    status, text = answer.status, str(body.get("Error", ""))
    if 200 <= status < 300:  # noqa: PLR2004 (the class of successes)
        return classify.accepted(body.get("ID"), status)
    if status == 400 and text:  # noqa: PLR2004 (whatever it does not take)
        return Refused("mailpit_error", "message", masked(text), http_status=status)
    return classify.from_status(answer, now, text)
