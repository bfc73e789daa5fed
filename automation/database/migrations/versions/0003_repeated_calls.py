"""The hash of a call's exact bytes: what a provider remembers under a key may only be posted again letter for letter."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("messages", sa.Column("request_hash", sa.Text(), nullable=True))
