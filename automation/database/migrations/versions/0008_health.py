"""How fit each provider and playbook is, and the incidents that somebody is told of."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "provider_health",
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("free_at", types.Instant(), nullable=True),
        sa.Column("share", sa.Float(), server_default="1", nullable=False),
        sa.Column("slowed_at", types.Instant(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("proven", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("paused_for", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_at", types.Instant(), nullable=True),
        sa.Column("tried_by", sa.Text(), nullable=True),
        sa.Column("tried_until", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("provider"),
    )
    op.create_table(
        "playbook_health",
        sa.Column("playbook", types.Key, nullable=False),
        sa.Column("recent", types.Json, nullable=False),
        sa.PrimaryKeyConstraint("playbook"),
    )
    op.create_table(
        "incidents",
        sa.Column("number", types.Id, nullable=False),
        sa.Column("kind", types.Key, nullable=False),
        sa.Column("about", types.Key, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("opened_at", types.Instant(), nullable=False),
        sa.Column("closed_at", types.Instant(), nullable=True),
        sa.Column("told_at", types.Instant(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_try_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index(
        "one_open_incident",
        "incidents",
        ["kind", "about"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "incidents_to_tell",
        "incidents",
        ["next_try_at"],
        sqlite_where=sa.text("next_try_at IS NOT NULL"),
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
