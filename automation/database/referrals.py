"""Tables of customers who bring others: whose a code is, and who came by it."""

from sqlalchemy import Column, Index, PrimaryKeyConstraint, SmallInteger, Table, UniqueConstraint

from automation.database.schema import metadata
from automation.database.types import Instant, Key

referral_codes = Table(
    "referral_codes",
    metadata,
    Column("code", Key, primary_key=True),
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("made_at", Instant, nullable=False),
    UniqueConstraint("shard", "customer_id", name="one_code_per_customer"),
)

# By the friend: nobody is brought along twice.
referrals = Table(
    "referrals",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("code", Key, nullable=False),
    Column("referrer_shard", SmallInteger, nullable=False),
    Column("referrer_id", Key, nullable=False),
    Column("signed_up_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("shard", "customer_id", name="one_referrer_per_friend"),
    Index("referrals_of_customer", "referrer_shard", "referrer_id"),
    sqlite_with_rowid=False,
)
