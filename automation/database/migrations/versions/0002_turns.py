"""A passage is planned as soon as it has its turn, so no row waits for it; "was in it lately" is read from an index."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("enrollments_to_plan", "enrollments")
    op.drop_index("enrollments_of_customer", "enrollments")
    op.create_index("enrollments_of_customer", "enrollments", ["shard", "customer_id", "playbook", "exited_at"])
    op.drop_column("enrollments", "next_from")
    if sa.inspect(op.get_bind()).has_table("sqlite_stat1"):  # what SQLite's planner knows of the index that is gone
        op.execute(sa.text("DELETE FROM sqlite_stat1 WHERE idx = 'enrollments_to_plan'"))
