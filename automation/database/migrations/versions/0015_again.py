"""Copies that a person asks for, and the send log by anything that its rows are like."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0015"
down_revision = "0014"

OPEN_COPY = sa.text("again > 0 AND status IN ('planned', 'sending')")
SETTLED = sa.text("status <> 'sending'")
ADDRESSED = sa.text("address IS NOT NULL")
ALIKE = ["playbook", "step", "channel", "status", "reason", "planned_at", "message_id"]
PER_STEP = ["shard", "enrollment_id", "step", "again"]
IS_COPY = "(again = 0) = (again_of IS NULL)"


def upgrade() -> None:
    op.drop_index("texts_by_number", "messages")
    # SQLite cannot change a constraint: the table is copied, once.
    with op.batch_alter_table("messages", table_kwargs={"sqlite_with_rowid": False}) as messages:
        messages.add_column(sa.Column("again_of", types.Id))
        messages.add_column(sa.Column("again", sa.SmallInteger(), nullable=False, server_default="0"))
        messages.add_column(sa.Column("asked_by", sa.Text()))
        messages.drop_constraint("one_message_per_step", type_="unique")
        messages.create_unique_constraint("one_message_per_step", PER_STEP)
        messages.create_check_constraint("copy_says_of_what", IS_COPY)
    _index("one_open_copy", PER_STEP[:3], OPEN_COPY, unique=True)
    _index("messages_alike", ALIKE, SETTLED)
    _index("messages_by_address", ["address"], ADDRESSED)


def _index(name: str, columns: list[str], where: sa.TextClause, *, unique: bool = False) -> None:
    op.create_index(name, "messages", columns, unique=unique, sqlite_where=where, postgresql_where=where)
