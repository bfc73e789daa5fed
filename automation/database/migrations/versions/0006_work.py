"""Signs of life, downtimes, nightly checks; and until when somebody paused something."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("seen_at", types.Instant(), nullable=False),
        sa.Column("stopped_at", types.Instant()),
        sa.PrimaryKeyConstraint("name", name="one_row_per_worker"),
    )
    op.create_table(
        "downtimes",
        sa.Column("began_at", types.Instant(), nullable=False, autoincrement=False),
        sa.Column("ended_at", types.Instant(), nullable=False),
        sa.Column("cost", types.Json),
        sa.PrimaryKeyConstraint("began_at", name="one_row_per_downtime"),
    )
    op.create_table(
        "checks",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("lease_until", types.Instant()),
        sa.Column("finished_at", types.Instant()),
        sa.Column("ok", sa.Boolean()),
        sa.Column("found", types.Json),
        sa.PrimaryKeyConstraint("date", name="one_check_per_date"),
    )
    op.add_column("audit_log", sa.Column("until", types.Instant()))
