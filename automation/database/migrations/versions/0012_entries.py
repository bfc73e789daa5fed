"""Passages by when they began: reports ask for a period of them."""

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.create_index("enrollments_by_entry", "enrollments", ["shard", "entered_at"])
