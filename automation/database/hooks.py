"""Tables of what providers tell afterwards: the calls as they came, the events in them, and texts from customers."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from automation.database.schema import metadata
from automation.database.types import Id, Instant, Json, Key

WAITING = text("processed_at IS NULL")
UNMATCHED = text("message_id IS NULL")
TO_REVIEW = text("meaning = 'suspected' AND reviewed_at IS NULL")
TO_ANSWER = text("meaning = 'help' AND answered_at IS NULL")
FROM_CUSTOMERS = text("customer_id IS NOT NULL")

# A call is answered once it is here; what it tells is worked out afterwards, by whoever comes first.
hook_calls = Table(
    "hook_calls",
    metadata,
    Column("number", Id, primary_key=True),
    Column("provider", Key, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("processed_at", Instant),
    Column("problem", Text),
    Index("hook_calls_waiting", "number", sqlite_where=WAITING, postgresql_where=WAITING),
    Index("hook_calls_by_time", "received_at"),
)

# Each event once, also those that belong to no message we know. `recipient` only until it is matched.
hook_events = Table(
    "hook_events",
    metadata,
    Column("provider", Key, nullable=False),
    Column("event_key", Key, nullable=False),
    Column("name", Text, nullable=False),
    Column("outcome", Key, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("detail", Text),
    Column("shard", SmallInteger),
    Column("message_id", Id),
    Column("provider_id", Key),
    Column("recipient", Text),
    PrimaryKeyConstraint("provider", "event_key"),
    Index("hook_events_unmatched", "provider", "received_at", sqlite_where=UNMATCHED, postgresql_where=UNMATCHED),
    sqlite_with_rowid=False,
)

# Each text once. The customer is the one whom we wrote to last at that number.
inbound_texts = Table(
    "inbound_texts",
    metadata,
    Column("number", Id, primary_key=True),
    Column("provider", Key, nullable=False),
    Column("text_key", Key, nullable=False),
    Column("sender", Key, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("meaning", Key),
    Column("happened_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("shard", SmallInteger),
    Column("customer_id", Key),
    Column("answered_at", Instant),
    Column("reviewed_at", Instant),
    Column("verdict", Key),
    UniqueConstraint("provider", "text_key", name="one_row_per_text"),
    CheckConstraint("meaning IN ('stop', 'suspected', 'start', 'help')", name="known_meaning"),
    CheckConstraint("verdict IN ('stop', 'keep')", name="known_verdict"),
    Index("texts_by_sender", "sender", "number"),
    Index("texts_to_review", "number", sqlite_where=TO_REVIEW, postgresql_where=TO_REVIEW),
    Index("texts_to_answer", "number", sqlite_where=TO_ANSWER, postgresql_where=TO_ANSWER),
    Index(
        "texts_of_customer",
        "shard",
        "customer_id",
        "number",
        sqlite_where=FROM_CUSTOMERS,
        postgresql_where=FROM_CUSTOMERS,
    ),
)
