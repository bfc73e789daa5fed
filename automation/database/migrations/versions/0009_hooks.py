"""What providers tell afterwards: calls, events, and messages found by the provider's id."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0009"
down_revision = "0008"

WAITING = sa.text("processed_at IS NULL")
UNMATCHED = sa.text("message_id IS NULL")
KNOWN = sa.text("provider_id IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "hook_calls",
        sa.Column("number", types.Id, primary_key=True),
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("headers", types.Json, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("processed_at", types.Instant()),
        sa.Column("problem", sa.Text()),
    )
    _index("hook_calls_waiting", "hook_calls", ["number"], WAITING)
    op.create_index("hook_calls_by_time", "hook_calls", ["received_at"])
    op.create_table(
        "hook_events",
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("event_key", types.Key, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outcome", types.Key, nullable=False),
        sa.Column("happened_at", types.Instant(), nullable=False),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("shard", sa.SmallInteger()),
        sa.Column("message_id", types.Id),
        sa.Column("provider_id", types.Key),
        sa.Column("recipient", sa.Text()),
        sa.PrimaryKeyConstraint("provider", "event_key"),
        sqlite_with_rowid=False,
    )
    _index("hook_events_unmatched", "hook_events", ["provider", "received_at"], UNMATCHED)
    _index("messages_by_provider_id", "messages", ["provider_id"], KNOWN)


def _index(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
