"""Who may sign in to the console; and the audit log is a chain that only grows."""

import sqlalchemy as sa
from alembic import op

from automation.database.accounts import ROLES
from automation.database.audit import ONLY_GROWS, link
from automation.database.types import Id, Instant, Key

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    _accounts()
    _what_they_did()
    op.add_column("audit_log", sa.Column("hash", sa.Text()))
    _chain(op.get_bind())
    for statement in ONLY_GROWS[op.get_bind().dialect.name]:
        op.execute(statement)


def _accounts() -> None:
    op.create_table(
        "users",
        sa.Column("name", Key, nullable=False),
        sa.Column("role", Key, nullable=False),
        sa.Column("password_hash", sa.Text()),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant()),
        sa.PrimaryKeyConstraint("name", name="one_account_per_name"),
        sa.CheckConstraint("role IN (" + ", ".join(f"'{one}'" for one in ROLES) + ")", name="known_role"),
    )
    op.create_table(
        "user_links",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("name", Key, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant()),
    )
    op.create_index("user_links_of_user", "user_links", ["name"])
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.Text(), primary_key=True),
        sa.Column("name", Key, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
    )
    op.create_index("sessions_of_user", "sessions", ["name"])


def _what_they_did() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("number", Id, primary_key=True),
        sa.Column("about", Key, nullable=False),
        sa.Column("failed_at", Instant(), nullable=False),
    )
    op.create_index("sign_ins_about", "sign_ins", ["about", "failed_at"])
    op.create_index("sign_ins_by_time", "sign_ins", ["failed_at"])
    op.create_table(
        "unmasked",
        sa.Column("name", Key, nullable=False),
        sa.Column("shard", sa.Integer(), nullable=False),
        sa.Column("customer_id", Key, nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shard", "customer_id"),
    )


def _chain(connection: sa.Connection) -> None:
    """Rows from before are taken as they are."""
    columns = ("number", "actor", "act", "about", "note")
    instants = (sa.column("recorded_at", Instant()), sa.column("until", Instant()))
    log = sa.table("audit_log", *(sa.column(name) for name in (*columns, "hash")), *instants)
    before = ""
    for row in connection.execute(sa.select(log).order_by(log.c.number)).mappings().all():
        before = link(before, row)
        connection.execute(sa.update(log).where(log.c.number == row["number"]).values(hash=before))
