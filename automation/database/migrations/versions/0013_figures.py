"""What pages tell of millions of rows, counted once."""

import sqlalchemy as sa
from alembic import op

from automation.database.types import Instant, Json, Key

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "figures",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("kind", Key, nullable=False),
        sa.Column("as_of", Instant(), nullable=False),
        sa.Column("counted", Json, nullable=False),
        sa.PrimaryKeyConstraint("kind", "date", name="one_count_per_date"),
    )
