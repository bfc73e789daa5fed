"""Tables about who may sign in to the console, who is signed in, and whose addresses they asked to read.

No foreign keys between them: what a person did stays on record when the account is closed.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, PrimaryKeyConstraint, Table, Text

from automation.database.schema import metadata
from automation.database.types import Id, Instant, Key

__all__ = ["ROLES", "sessions", "sign_ins", "unmasked", "user_links", "users"]

ROLES = ("viewer", "support", "marketer", "admin")

users = Table(
    "users",
    metadata,
    Column("name", Key, nullable=False),
    Column("role", Key, nullable=False),
    # Argon2id; empty until the person has chosen a password by a link.
    Column("password_hash", Text),
    Column("created_at", Instant, nullable=False),
    Column("closed_at", Instant),
    PrimaryKeyConstraint("name", name="one_account_per_name"),
    CheckConstraint("role IN (" + ", ".join(f"'{one}'" for one in ROLES) + ")", name="known_role"),
)

# A link that is good once, to choose a password. Of what opens something, only a hash is kept.
user_links = Table(
    "user_links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("name", Key, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("user_links_of_user", "name"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("name", Key, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("sessions_of_user", "name"),
)

# Attempts to sign in that failed, by name and by place: who tries too often has to wait.
sign_ins = Table(
    "sign_ins",
    metadata,
    Column("number", Id, primary_key=True),
    # name:<name> | peer:<address of the network>
    Column("about", Key, nullable=False),
    Column("failed_at", Instant, nullable=False),
    Index("sign_ins_about", "about", "failed_at"),
    Index("sign_ins_by_time", "failed_at"),
)

# Whose addresses a viewer or a marketer may read for a while; why they asked is in the audit log.
unmasked = Table(
    "unmasked",
    metadata,
    Column("name", Key, nullable=False),
    Column("shard", Integer, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("until", Instant, nullable=False),
    PrimaryKeyConstraint("name", "shard", "customer_id"),
)
