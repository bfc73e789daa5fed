"""A number that goes up whenever somebody must not be written to any more, for those about to post."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("installation", sa.Column("brake", sa.Integer(), server_default="0", nullable=False))
