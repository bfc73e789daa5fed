"""What a provider answered lately: its attempts by time."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

NAME = "attempts_by_provider"
EXPECTED = sa.text("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('attempts', :name, '4000000 2000000 10 1')")


def upgrade() -> None:
    op.create_index(NAME, "attempts", ["provider", "started_at"])
    bind = op.get_bind()
    if bind.dialect.name == "sqlite" and sa.inspect(bind).has_table("sqlite_stat1"):
        bind.execute(EXPECTED, {"name": NAME})  # or the planner takes a provider's rows for few
