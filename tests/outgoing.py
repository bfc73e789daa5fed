"""Messages that are ready for a provider, and answers of one, as several tests have them."""

import json
from typing import Any

from automation.delivery.outgoing import Outgoing
from automation.delivery.replies import Answer

UNSUBSCRIBE = {
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    "List-Unsubscribe": "<https://shop.example/u/t0k3n>",
}
WELCOME = Outgoing(
    message_id=7,
    channel="email",
    sender="Shop <hello@example.com>",
    recipient="ada@example.com",
    subject="Grüße – 10 € 🎁",
    html="<p>Schön</p>",
    text="Schön",
    headers=UNSUBSCRIBE,
    tag="welcome",
    kind="marketing",
)
NUDGE = Outgoing(
    message_id=9,
    channel="sms",
    sender="+15550100",
    recipient="+393331234567",
    subject="",
    html="",
    text="Ciao, è ora & 10 € 🎁",
    headers={},
    tag="nudge",
    kind="marketing",
)


def json_answer(status: int, body: Any, **headers: str) -> Answer:
    """Names of headers with underlines for dashes."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": "application/json; charset=utf-8", **names}, json.dumps(body).encode())
