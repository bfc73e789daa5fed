"""Texts from customers, and the wording of a consent."""

import sqlalchemy as sa
from alembic import op

from automation.database import types

revision = "0010"
down_revision = "0009"

TO_REVIEW = sa.text("meaning = 'suspected' AND reviewed_at IS NULL")
TO_ANSWER = sa.text("meaning = 'help' AND answered_at IS NULL")
FROM_CUSTOMERS = sa.text("customer_id IS NOT NULL")


def upgrade() -> None:
    op.add_column("consents", sa.Column("wording", sa.Text()))
    op.create_table(
        "inbound_texts",
        sa.Column("number", types.Id, primary_key=True),
        sa.Column("provider", types.Key, nullable=False),
        sa.Column("text_key", types.Key, nullable=False),
        sa.Column("sender", types.Key, nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("meaning", types.Key),
        sa.Column("happened_at", types.Instant(), nullable=False),
        sa.Column("received_at", types.Instant(), nullable=False),
        sa.Column("shard", sa.SmallInteger()),
        sa.Column("customer_id", types.Key),
        sa.Column("answered_at", types.Instant()),
        sa.Column("reviewed_at", types.Instant()),
        sa.Column("verdict", types.Key),
        sa.UniqueConstraint("provider", "text_key", name="one_row_per_text"),
        sa.CheckConstraint("meaning IN ('stop', 'suspected', 'start', 'help')", name="known_meaning"),
        sa.CheckConstraint("verdict IN ('stop', 'keep')", name="known_verdict"),
    )
    op.create_table(
        "lifted_suppressions",
        sa.Column("number", types.Id, primary_key=True),
        sa.Column("channel", types.Key, nullable=False),
        sa.Column("address", types.Key, nullable=False),
        sa.Column("reason", types.Key, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", types.Instant(), nullable=False),
        sa.Column("lifted_at", types.Instant(), nullable=False),
    )
    op.create_index("lifted_by_address", "lifted_suppressions", ["channel", "address"])
    op.create_index("texts_by_sender", "inbound_texts", ["sender", "number"])
    _index("texts_to_review", ["number"], TO_REVIEW)
    _index("texts_to_answer", ["number"], TO_ANSWER)
    _index("texts_of_customer", ["shard", "customer_id", "number"], FROM_CUSTOMERS)


def _index(name: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, "inbound_texts", columns, sqlite_where=where, postgresql_where=where)
