"""The tables. Customer-owned ones carry `shard` first: a range of shards is contiguous in every key and hot index.

`facts` is not here: its columns follow facts.toml (customers/facts). Ids of rows that grow with time are
`n * 256 + shard`, with `n` counted up within the shard: appended in order, unique everywhere, short enough to read out
on the telephone.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import ceil
from typing import NamedTuple
from zlib import crc32

from sqlalchemy import (
    CTE,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Date,
    FromClause,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    cast,
    literal_column,
    select,
    text,
)

from automation.database.types import Id, Instant, Json, Key
from automation.reasons import STATUSES

SHARDS = 256
metadata = MetaData()


def shard_of(customer_id: str) -> int:
    """The customer's shard, 0 to 255: the same on every machine and in every release."""
    return crc32(customer_id.encode()) % SHARDS


class Shards(NamedTuple):
    """A range of shards, both ends included: the unit of work."""

    first: int = 0
    last: int = SHARDS - 1

    def of(self, table: FromClause) -> ColumnElement[bool]:
        return table.c.shard.between(self.first, self.last)

    def each_of(self, table: FromClause) -> ColumnElement[bool]:
        """The same, for an index whose second column is a range: one short range for each shard."""
        return table.c.shard.in_(range(self.first, self.last + 1))

    def rows(self) -> CTE:
        """The numbers of these shards as rows of a column `shard`."""
        each = select(cast(self.first, SmallInteger).label("shard")).cte("each_shard", recursive=True)
        return each.union_all(select(cast(each.c.shard + 1, SmallInteger)).where(each.c.shard < self.last))

    @classmethod
    def parts(cls, rows: int, at_once: int) -> "Iterator[Shards]":
        """All shards in ranges with some `at_once` of so many rows each; few rows are one range."""
        count = max(1, min(SHARDS, ceil(rows / at_once)))
        edges = [round(SHARDS * part / count) for part in range(count + 1)]
        return (cls(first, end - 1) for first, end in pairwise(edges))


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of some rows only."""
    return Index(name, *columns, unique=unique, sqlite_where=text(where), postgresql_where=text(where))


customers = Table(
    "customers",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("email", Text),
    Column("phone", Text),
    Column("locale", Text),
    Column("timezone", Text),
    Column("country", Text),
    Column("signup_at", Instant),
    Column("attributes", Json, nullable=False),
    Column("erased_at", Instant),
    PrimaryKeyConstraint("shard", "customer_id"),
    _partial("customers_by_email", "email", where="email IS NOT NULL"),
    _partial("customers_by_phone", "phone", where="phone IS NOT NULL"),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("event_id", Key, nullable=False),
    Column("name", Key, nullable=False),
    Column("time", Instant, nullable=False),
    Column("properties", Json, nullable=False),
    # A customer's events lie side by side (SQLite keeps the row in this key), so facts are one ordered pass.
    PrimaryKeyConstraint("shard", "customer_id", "event_id"),
    Index("events_by_time", "shard", "time", "name"),
    sqlite_with_rowid=False,
)

facts_as_of = Table(
    "facts_as_of",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("as_of", Instant, nullable=False),
    Column("definitions", Text, nullable=False),
)

stage_changes = Table(
    "stage_changes",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("from_stage", Key),
    Column("to_stage", Key, nullable=False),
    Column("move", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
    # By day first: a day's changes are appended together.
    PrimaryKeyConstraint("shard", "day", "customer_id"),
    CheckConstraint("move IN ('first', 'forward', 'skip', 'back')", name="known_move"),
    Index("stage_changes_of_customer", "shard", "customer_id", "day"),
    sqlite_with_rowid=False,
)

playbook_versions = Table(
    "playbook_versions",
    metadata,
    Column("version_id", Key, primary_key=True),
    Column("playbook", Key, nullable=False),
    Column("content", Json, nullable=False),
    Column("first_used_at", Instant, nullable=False),
)

OPEN_ENROLLMENT = text("exited_at IS NULL")
enrollments = Table(
    "enrollments",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("enrollment_id", Id, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("playbook", Key, nullable=False),
    Column("arm", Key, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("entered_stage", Key, nullable=False),
    Column("exited_at", Instant),
    Column("exit_reason", Key),
    Column("goal_at", Instant),
    Column("next_step", SmallInteger, nullable=False),
    PrimaryKeyConstraint("shard", "enrollment_id"),
    _partial("one_open_enrollment", "shard", "customer_id", "playbook", where="exited_at IS NULL", unique=True),
    # With the exit, so that "was in it lately" is answered by the index alone.
    Index("enrollments_of_customer", "shard", "customer_id", "playbook", "exited_at"),
    # For reports on a period; appended to, as passages begin in order of time.
    Index("enrollments_by_entry", "shard", "entered_at"),
    sqlite_with_rowid=False,
)

OPEN_COPY = "again > 0 AND status IN ('planned', 'sending')"
messages = Table(
    "messages",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("message_id", Id, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("enrollment_id", Id, nullable=False),
    Column("playbook", Key, nullable=False),
    Column("version_id", Key, nullable=False),
    Column("step", Key, nullable=False),
    Column("variant", Key),
    Column("channel", Key, nullable=False),
    Column("kind", Key, nullable=False),
    Column("topic", Key, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("status", Key, nullable=False),
    Column("reason", Key),
    Column("planned_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("deadline", Instant, nullable=False),
    Column("attempts", SmallInteger, nullable=False, server_default="0"),
    # Who is sending it: every later update must match the fence.
    Column("worker", Text),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("lease_until", Instant),
    # What was said: enough to render the same bytes again, and a hash that proves it.
    Column("address", Text),
    Column("context", Json),
    Column("content_hash", Text),
    Column("provider", Key),
    Column("idempotency_key", Text),
    Column("request_hash", Text),
    Column("first_used_at", Instant),
    Column("batch", Text),
    Column("provider_id", Text),
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    Column("flags", Text),
    Column("sent_at", Instant),
    Column("finished_at", Instant),
    # While it is unknown: when the provider is asked next what became of it. NULL: it has not been asked yet.
    Column("look_up_at", Instant),
    # A copy that a person asked for says of which message it is one, the how-manieth, and who asked.
    Column("again_of", Id),
    Column("again", SmallInteger, nullable=False, server_default="0"),
    Column("asked_by", Text),
    PrimaryKeyConstraint("shard", "message_id"),
    # The playbook's own is number 0. Whoever asks for a copy asks for its number: a second click asks for the same.
    UniqueConstraint("shard", "enrollment_id", "step", "again", name="one_message_per_step"),
    CheckConstraint("(again = 0) = (again_of IS NULL)", name="copy_says_of_what"),
    CheckConstraint("status IN (" + ", ".join(f"'{one}'" for one in STATUSES) + ")", name="known_status"),
    Index("messages_of_customer", "shard", "customer_id", "message_id"),
    Index("messages_by_time", "planned_at", "message_id"),
    # Across shards, because the oldest due message goes first; only open rows are in it.
    _partial("messages_due", "channel", "due_at", "message_id", where="status = 'planned'"),
    # By shard, for the daily run's look at what is due before the next one.
    _partial("messages_planned", "shard", "due_at", where="status = 'planned'"),
    _partial("messages_in_flight", "lease_until", where="status = 'sending'"),
    _partial("messages_to_look_up", "provider", "look_up_at", where="status = 'unknown'"),
    _partial("one_open_copy", "shard", "enrollment_id", "step", where=OPEN_COPY, unique=True),
    # For the send log by anything that a row is like: few groups, each by time. A row in flight is in no group, which
    # saves two writes for each that is sent.
    _partial(
        "messages_alike",
        "playbook",
        "step",
        "channel",
        "status",
        "reason",
        "planned_at",
        "message_id",
        where="status <> 'sending'",
    ),
    # For events that tell nothing but the provider's own id.
    _partial("messages_by_provider_id", "provider_id", where="provider_id IS NOT NULL"),
    # Who was written to at an address, which may not be theirs any more; which texts could be taken for each other.
    _partial("messages_by_address", "address", where="address IS NOT NULL"),
    sqlite_with_rowid=False,
)

# Written out, because a bound parameter cannot prove to a planner that a partial index applies.
PLANNED = messages.c.status == literal_column("'planned'")
SENDING = messages.c.status == literal_column("'sending'")
UNKNOWN = messages.c.status == literal_column("'unknown'")
TEXTS = messages.c.channel == literal_column("'sms'")
SETTLED = messages.c.status != literal_column("'sending'")
# What the playbook planned, and not a copy of it that a person asked for.
OWN = messages.c.again_of.is_(None)

attempts = Table(
    "attempts",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("message_id", Id, nullable=False),
    Column("number", SmallInteger, nullable=False),
    Column("provider", Key, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant, nullable=False),
    Column("reply", Key, nullable=False),
    Column("reason", Key),
    Column("detail", Text),
    Column("http_status", SmallInteger),
    Column("batch", Text),
    PrimaryKeyConstraint("shard", "message_id", "number"),
    CheckConstraint("reply IN ('accepted', 'refused', 'later', 'unknown')", name="known_reply"),
    # For what a provider answered lately; appended to.
    Index("attempts_by_provider", "provider", "started_at"),
    sqlite_with_rowid=False,
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("message_id", Id, nullable=False),
    Column("provider", Key, nullable=False),
    Column("event_key", Key, nullable=False),
    Column("outcome", Key, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("detail", Text),
    PrimaryKeyConstraint("shard", "message_id", "provider", "event_key"),
    sqlite_with_rowid=False,
)

consents = Table(
    "consents",
    metadata,
    Column("shard", SmallInteger, nullable=False),
    Column("customer_id", Key, nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel", Key, nullable=False),
    # '*' is every topic of the channel; the newest row on the topic or on '*' decides.
    Column("topic", Key, nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("basis", Text, nullable=False),
    # What the customer read or wrote when they agreed, where it is known.
    Column("wording", Text),
    Column("source", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("shard", "customer_id", "number"),
    sqlite_with_rowid=False,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", Key, nullable=False),
    Column("address", Key, nullable=False),
    Column("reason", Key, nullable=False),
    Column("source", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    PrimaryKeyConstraint("channel", "address"),
    sqlite_with_rowid=False,
)

# What was on that list once: who asks why nothing was sent then is told.
lifted_suppressions = Table(
    "lifted_suppressions",
    metadata,
    Column("number", Id, primary_key=True),
    Column("channel", Key, nullable=False),
    Column("address", Key, nullable=False),
    Column("reason", Key, nullable=False),
    Column("source", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("lifted_at", Instant, nullable=False),
    Index("lifted_by_address", "channel", "address"),
)

offers = Table(
    "offers",
    metadata,
    Column("pool", Key, nullable=False),
    Column("code", Key, nullable=False),
    Column("shard", SmallInteger),
    Column("enrollment_id", Id),
    Column("loaded_at", Instant, nullable=False),
    Column("assigned_at", Instant),
    Column("expires_at", Instant),
    PrimaryKeyConstraint("pool", "code"),
    UniqueConstraint("shard", "enrollment_id", name="one_code_per_enrollment"),
    _partial("offers_free", "pool", "loaded_at", where="enrollment_id IS NULL"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("number", Id, primary_key=True),
    Column("recorded_at", Instant, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Key, nullable=False),
    # message:<id> | customer:<id> | playbook:<key> | everything
    Column("about", Key, nullable=False),
    Column("note", Text, nullable=False),
    # Of a pause that ends by itself.
    Column("until", Instant),
    # Over this row and the hash of the one before (database/audit.py).
    Column("hash", Text),
    Index("audit_log_about", "about", "number"),
)

# One random key per database: idempotency keys of two databases never meet at one provider, and unsubscribe links of
# a database without a configured secret_key cannot be guessed.
# `brake` goes up with every permission that is taken back (database/brake.py).
installation = Table(
    "installation",
    metadata,
    Column("key", Text, primary_key=True),
    Column("brake", Integer, nullable=False, server_default="0"),
)
