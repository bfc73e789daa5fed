"""When a provider is asked next what became of a message of which nobody knows."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0007"
down_revision = "0006"

UNKNOWN = sa.text("status = 'unknown'")
TEXT = sa.text("channel = 'sms' AND address IS NOT NULL")


def upgrade() -> None:
    op.add_column("messages", sa.Column("look_up_at", types.Instant(), nullable=True))
    indexes = {"messages_to_look_up": (["provider", "look_up_at"], UNKNOWN), "texts_by_number": (["address"], TEXT)}
    for name, (columns, where) in indexes.items():
        op.create_index(name, "messages", columns, sqlite_where=where, postgresql_where=where)
