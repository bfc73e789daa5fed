"""Somebody followed the link of a message and wants no more of its kind."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import lock_customer
from automation.customers.suppress import withdraw_consent
from automation.database.schema import SHARDS, consents, messages, outcomes

LINK = "link"


def unsubscribe(connection: Connection, message_id: int, now: datetime) -> None:
    """The customer of this message withdraws the consent to its channel, with every topic. Twice changes nothing."""
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = select(messages.c.shard, messages.c.customer_id, messages.c.channel).where(*mine)
    row = connection.execute(found).one_or_none()
    if row is None:
        return
    lock_customer(connection, row.shard, row.customer_id)
    newest = select(consents.c.topic, consents.c.granted).where(
        consents.c.shard == row.shard, consents.c.customer_id == row.customer_id, consents.c.channel == row.channel
    )
    last = connection.execute(newest.order_by(consents.c.number.desc()).limit(1)).one_or_none()
    if last is None or last.granted or last.topic != "*":
        withdraw_consent(connection, row.shard, row.customer_id, row.channel, LINK, "customer", now)
    note_unsubscribed(connection, row.shard, message_id, now)


def note_unsubscribed(connection: Connection, shard: int, message_id: int, now: datetime) -> None:
    """That this message's link was used for it."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {
        "shard": shard,
        "message_id": message_id,
        "provider": LINK,
        "event_key": "unsubscribed",
        "outcome": "unsubscribed",
        "happened_at": now,
        "received_at": now,
    }
    connection.execute(dialect.insert(outcomes).values(row).on_conflict_do_nothing())
