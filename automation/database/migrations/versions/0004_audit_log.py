"""Who did what by hand."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("number", types.Id, nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", types.Key, nullable=False),
        sa.Column("about", types.Key, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("audit_log_about", "audit_log", ["about", "number"])
