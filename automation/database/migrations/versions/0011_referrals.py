"""Customers who bring others."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "referral_codes",
        sa.Column("code", types.Key, primary_key=True),
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("made_at", types.Instant(), nullable=False),
        sa.UniqueConstraint("shard", "customer_id", name="one_code_per_customer"),
    )
    op.create_table(
        "referrals",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("code", types.Key, nullable=False),
        sa.Column("referrer_shard", sa.SmallInteger(), nullable=False),
        sa.Column("referrer_id", types.Key, nullable=False),
        sa.Column("signed_up_at", types.Instant(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "customer_id", name="one_referrer_per_friend"),
        sqlite_with_rowid=False,
    )
    op.create_index("referrals_of_customer", "referrals", ["referrer_shard", "referrer_id"])
