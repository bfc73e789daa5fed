"""A shop in which every text that a customer, a provider or a template controls is hostile."""

import json
from datetime import timedelta
from typing import Any, cast

from console_visiting import DAY1, NOON1, NOW
from hostile_texts import CALL, PAYLOADS
from shop import Shop, at, playbook, step
from sqlalchemy import Connection, insert, select, update

from automation.database.audit import Act, note
from automation.database.hooks import inbound_texts
from automation.database.schema import attempts, consents, customers, events, messages, outcomes, shard_of
from automation.database.work import incidents, pauses
from automation.delivery.health import by_hand
from automation.reports.kept import keep_figures

MOMENT = at(NOW)
BODY = f"""+++
subject = "Hello {{{{ customer.first_name | default('there') }}}}"
+++
Dear {{{{ customer.first_name | default('you') }}}},

<script>{CALL}</script><img src=x onerror={CALL}><a href="javascript:{CALL}">here</a>
"""


def ids() -> list[str]:
    """Of the customers: as much of the text as an id may have."""
    return [" ".join(f"h{number} {payload}".split())[:200] for number, payload in enumerate(PAYLOADS)]


def hostile_day(shop: Shop) -> None:
    shop.write(hello=playbook(step("one") + step("two", after="3 days"), name=PAYLOADS[0]))
    files = {f"p{number}": playbook(name=payload.replace("\n", " ")) for number, payload in enumerate(PAYLOADS[1:6])}
    shop.write(**files)
    shop._file("templates/hello/hello.en.md", BODY)  # noqa: SLF001 (a marketer's file)
    with shop.database.writing() as connection:
        for customer_id, payload in zip(ids(), PAYLOADS, strict=True):
            _arrives(connection, customer_id, payload)
    shop.evaluate(DAY1)
    shop.send(NOON1)
    keep_figures(shop.database, shop.settings, shop.book, at(NOON1))
    with shop.database.writing() as connection:
        for customer_id, payload in zip(ids(), PAYLOADS, strict=True):
            _goes_on(connection, customer_id, payload)
        connection.execute(insert(pauses), {"scope": "provider:sandbox_sms", "reason": PAYLOADS[7], "since": MOMENT})
        incident = {"kind": "hook", "about": PAYLOADS[8], "words": PAYLOADS[9], "opened_at": MOMENT}
        connection.execute(insert(incidents), incident)


def _arrives(connection: Connection, customer_id: str, payload: str) -> None:
    own: dict[str, Any] = {"shard": shard_of(customer_id), "customer_id": customer_id}
    known = {"first_name": payload, payload[:100]: payload, "nested": {payload[:50]: [payload]}}
    address = {"email": f"{shard_of(payload)}@example.com", "phone": "+12015550123", "timezone": "Europe/Rome"}
    words = {"country": payload[:20], "locale": payload[:20], "signup_at": at("2026-01-01T00:00:00Z")}
    connection.execute(insert(customers), {**own, **address, **words, "attributes": known})
    when = at("2026-02-01T00:00:00Z")
    happened = {"event_id": payload[:200], "name": payload[:200], "time": when, "properties": known}
    connection.execute(insert(events), {**own, **happened})
    said = {"number": 1, "channel": "email", "topic": "*", "granted": True, "basis": payload, "wording": payload}
    connection.execute(insert(consents), {**own, **said, "source": payload, "actor": payload, "recorded_at": when})


def _goes_on(connection: Connection, customer_id: str, payload: str) -> None:
    written = select(messages.c.message_id).where(messages.c.customer_id == customer_id)
    number = connection.execute(written).scalars().first()
    mine = messages.c.message_id == number
    connection.execute(update(messages).where(mine).values(provider_id=payload, flags=payload, variant=payload[:50]))
    told = {"detail": payload, "reason": payload[:50], "batch": payload}
    connection.execute(update(attempts).where(attempts.c.message_id == number).values(told))
    key = {"shard": shard_of(customer_id), "message_id": number, "provider": "sandbox_email"}
    when = {"happened_at": MOMENT - timedelta(hours=1), "received_at": MOMENT}
    connection.execute(insert(outcomes), {**key, **when, "event_key": payload, "outcome": "clicked", "detail": payload})
    text = {"provider": "sandbox_sms", "text_key": payload, "sender": "+12015550123", "recipient": payload}
    whose = {"shard": shard_of(customer_id), "customer_id": customer_id, "meaning": "suspected"}
    connection.execute(insert(inbound_texts), {**text, **when, **whose, "text": payload})
    by_hand.pause(connection, f"customer:{customer_id}", "Ada", payload, None, MOMENT)
    note(connection, "Ada", cast("Act", payload[:50].strip()), f"message:{number}", json.dumps(payload), MOMENT)
