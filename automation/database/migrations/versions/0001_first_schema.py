"""The first schema."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", types.Id, nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("started_at", types.Instant(), nullable=False),
        sa.Column("finished_at", types.Instant(), nullable=False),
        sa.Column("reply", types.Key, nullable=False),
        sa.Column("reason", types.Key, nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.CheckConstraint("reply IN ('accepted', 'refused', 'later', 'unknown')", name="known_reply"),
        sa.PrimaryKeyConstraint("shard", "message_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consents",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", types.Key, nullable=False),
        sa.Column("topic", types.Key, nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("shard", "customer_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "customers",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("timezone", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("signup_at", types.Instant(), nullable=True),
        sa.Column("attributes", types.Json, nullable=False),
        sa.Column("erased_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "customers_by_email",
        "customers",
        ["email"],
        unique=False,
        postgresql_where=sa.text("email IS NOT NULL"),
        sqlite_where=sa.text("email IS NOT NULL"),
    )
    op.create_index(
        "customers_by_phone",
        "customers",
        ["phone"],
        unique=False,
        postgresql_where=sa.text("phone IS NOT NULL"),
        sqlite_where=sa.text("phone IS NOT NULL"),
    )
    op.create_table(
        "enrollments",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("enrollment_id", types.Id, nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("playbook", types.Key, nullable=False),
        sa.Column("arm", types.Key, nullable=False),
        sa.Column("entered_at", types.Instant(), nullable=False),
        sa.Column("entered_stage", types.Key, nullable=False),
        sa.Column("exited_at", types.Instant(), nullable=True),
        sa.Column("exit_reason", types.Key, nullable=True),
        sa.Column("goal_at", types.Instant(), nullable=True),
        sa.Column("next_step", sa.SmallInteger(), nullable=False),
        sa.Column("next_from", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "enrollment_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "enrollments_of_customer", "enrollments", ["shard", "customer_id", "playbook", "entered_at"], unique=False
    )
    op.create_index(
        "enrollments_to_plan",
        "enrollments",
        ["shard", "enrollment_id"],
        unique=False,
        sqlite_where=sa.text("next_from IS NOT NULL"),
        postgresql_where=sa.text("next_from IS NOT NULL"),
    )
    op.create_index(
        "one_open_enrollment",
        "enrollments",
        ["shard", "customer_id", "playbook"],
        unique=True,
        sqlite_where=sa.text("exited_at IS NULL"),
        postgresql_where=sa.text("exited_at IS NULL"),
    )
    op.create_table(
        "events",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("event_id", types.Key, nullable=False),
        sa.Column("name", types.Key, nullable=False),
        sa.Column("time", types.Instant(), nullable=False),
        sa.Column("properties", types.Json, nullable=False),
        sa.PrimaryKeyConstraint("shard", "customer_id", "event_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("events_by_time", "events", ["shard", "time", "name"], unique=False)
    op.create_table(
        "facts_as_of",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("as_of", types.Instant(), nullable=False),
        sa.Column("definitions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("shard"),
    )
    op.create_table("installation", sa.Column("key", sa.Text(), nullable=False), sa.PrimaryKeyConstraint("key"))
    op.create_table(
        "messages",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", types.Id, nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("enrollment_id", types.Id, nullable=False),
        sa.Column("playbook", types.Key, nullable=False),
        sa.Column("version_id", types.Key, nullable=False),
        sa.Column("step", types.Key, nullable=False),
        sa.Column("variant", types.Key, nullable=True),
        sa.Column("channel", types.Key, nullable=False),
        sa.Column("kind", types.Key, nullable=False),
        sa.Column("topic", types.Key, nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("status", types.Key, nullable=False),
        sa.Column("reason", types.Key, nullable=True),
        sa.Column("planned_at", types.Instant(), nullable=False),
        sa.Column("due_at", types.Instant(), nullable=False),
        sa.Column("deadline", types.Instant(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("fence", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", types.Instant(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("context", types.Json, nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("provider", types.Key, nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("first_used_at", types.Instant(), nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("possible_duplicate", sa.Boolean(), server_default=sa.text("(false)"), nullable=False),
        sa.Column("flags", sa.Text(), nullable=True),
        sa.Column("sent_at", types.Instant(), nullable=True),
        sa.Column("finished_at", types.Instant(), nullable=True),
        sa.CheckConstraint(
            "status IN ('planned', 'sending', 'sent', 'rejected', 'failed', 'unknown', 'skipped', 'expired', 'canceled')",
            name="known_status",
        ),
        sa.PrimaryKeyConstraint("shard", "message_id"),
        sa.UniqueConstraint("shard", "enrollment_id", "step", name="one_message_per_step"),
        sqlite_with_rowid=False,
    )
    op.create_index("messages_by_time", "messages", ["planned_at", "message_id"], unique=False)
    op.create_index(
        "messages_due",
        "messages",
        ["channel", "due_at", "message_id"],
        unique=False,
        sqlite_where=sa.text("status = 'planned'"),
        postgresql_where=sa.text("status = 'planned'"),
    )
    op.create_index(
        "messages_in_flight",
        "messages",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("status = 'sending'"),
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index("messages_of_customer", "messages", ["shard", "customer_id", "message_id"], unique=False)
    op.create_index(
        "messages_planned",
        "messages",
        ["shard", "due_at"],
        unique=False,
        sqlite_where=sa.text("status = 'planned'"),
        postgresql_where=sa.text("status = 'planned'"),
    )
    op.create_table(
        "offers",
        sa.Column("pool", types.Key, nullable=False),
        sa.Column("code", types.Key, nullable=False),
        sa.Column("shard", sa.SmallInteger(), nullable=True),
        sa.Column("enrollment_id", types.Id, nullable=True),
        sa.Column("loaded_at", types.Instant(), nullable=False),
        sa.Column("assigned_at", types.Instant(), nullable=True),
        sa.Column("expires_at", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("pool", "code"),
        sa.UniqueConstraint("shard", "enrollment_id", name="one_code_per_enrollment"),
    )
    op.create_index(
        "offers_free",
        "offers",
        ["pool", "loaded_at"],
        unique=False,
        sqlite_where=sa.text("enrollment_id IS NULL"),
        postgresql_where=sa.text("enrollment_id IS NULL"),
    )
    op.create_table(
        "outcomes",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("message_id", types.Id, nullable=False),
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("event_key", types.Key, nullable=False),
        sa.Column("outcome", types.Key, nullable=False),
        sa.Column("happened_at", types.Instant(), nullable=False),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("shard", "message_id", "provider", "event_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pauses",
        sa.Column("scope", types.Key, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", types.Instant(), nullable=False),
        sa.Column("until", types.Instant(), nullable=True),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "playbook_versions",
        sa.Column("version_id", types.Key, nullable=False),
        sa.Column("playbook", types.Key, nullable=False),
        sa.Column("content", types.Json, nullable=False),
        sa.Column("first_used_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("version_id"),
    )
    op.create_table(
        "run_parts",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("first_shard", sa.SmallInteger(), nullable=False),
        sa.Column("last_shard", sa.SmallInteger(), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", types.Instant(), nullable=True),
        sa.Column("finished_at", types.Instant(), nullable=True),
        sa.Column("summary", types.Json, nullable=True),
        sa.PrimaryKeyConstraint("date", "first_shard"),
    )
    op.create_table(
        "runs",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("now", types.Instant(), nullable=True),
        sa.Column("status", types.Key, nullable=False),
        sa.Column("started_at", types.Instant(), nullable=True),
        sa.Column("finished_at", types.Instant(), nullable=True),
        sa.Column("summary", types.Json, nullable=True),
        sa.CheckConstraint("status IN ('running', 'done', 'missed')", name="known_run_status"),
        sa.PrimaryKeyConstraint("date", name="one_run_per_date"),
    )
    op.create_table(
        "stage_changes",
        sa.Column("shard", sa.SmallInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("customer_id", types.Key, nullable=False),
        sa.Column("from_stage", types.Key, nullable=True),
        sa.Column("to_stage", types.Key, nullable=False),
        sa.Column("move", sa.Text(), nullable=False),
        sa.Column("changed_at", types.Instant(), nullable=False),
        sa.CheckConstraint("move IN ('first', 'forward', 'skip', 'back')", name="known_move"),
        sa.PrimaryKeyConstraint("shard", "day", "customer_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("stage_changes_of_customer", "stage_changes", ["shard", "customer_id", "day"], unique=False)
    op.create_table(
        "suppressions",
        sa.Column("channel", types.Key, nullable=False),
        sa.Column("address", types.Key, nullable=False),
        sa.Column("reason", types.Key, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "address"),
        sqlite_with_rowid=False,
    )
