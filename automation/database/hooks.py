"""Tables of what providers tell afterwards: the calls as they came, and the events in them."""

from sqlalchemy import Column, Index, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text, text

from automation.database.schema import metadata
from automation.database.types import Id, Instant, Json, Key

WAITING = text("processed_at IS NULL")
UNMATCHED = text("message_id IS NULL")

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
