"""Texts that people send to us. Whoever writes STOP gets no more texts, whatever the provider does about it."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.hooks import hook_events
from automation.database.schema import TEXTS, messages
from automation.delivery.hooks import InboundText

# https://www.ctia.org/the-wireless-industry/industry-commitments/messaging-interoperability-sms-mms
STOP_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})


def hear(connection: Connection, provider: str, text: InboundText, now: datetime) -> None:
    """Once for each text; a second time nothing happens."""
    stops = text.word == "stop" or is_stop(text.text)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "provider": provider,
        "event_key": text.key,
        "name": "stop" if stops else "text",
        "outcome": "unsubscribed" if stops else "info",
        "happened_at": text.happened_at or now,
        "received_at": now,
        "recipient": text.sender,
    }
    new = dialect.insert(hook_events).values(row).on_conflict_do_nothing()
    if connection.execute(new).rowcount and stops:
        _stop(connection, provider, _number(text.sender), now)


def is_stop(text: str) -> bool:
    """The whole text is the word, in any case and with any punctuation or space around and in it."""
    return "".join(one for one in text.casefold() if one.isalnum()) in STOP_WORDS


def _number(sender: str) -> str:
    """Vendors write it with or without its plus sign."""
    return sender if sender.startswith("+") else f"+{sender}"


def _stop(connection: Connection, provider: str, number: str, now: datetime) -> None:
    """The number, and everybody whom we wrote to at it."""
    suppress_address(connection, "sms", number, "unsubscribed", provider, now)
    people = select(messages.c.shard, messages.c.customer_id).where(TEXTS, messages.c.address == number).distinct()
    for shard, customer_id in connection.execute(people).all():
        withdraw_consent(connection, shard, customer_id, "sms", provider, "customer", now)
