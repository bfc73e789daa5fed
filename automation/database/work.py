"""Tables about the work itself: which dates were run and by whom, when nobody worked, what the nightly check found, how
providers and playbooks stand, and what somebody has to know.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from automation.database.schema import metadata
from automation.database.types import Id, Instant, Json, Key

__all__ = [
    "OPEN_INCIDENT",
    "checks",
    "downtimes",
    "figures",
    "incidents",
    "pauses",
    "playbook_health",
    "provider_health",
    "run_parts",
    "runs",
    "workers",
]

runs = Table(
    "runs",
    metadata,
    Column("date", Date, nullable=False),
    Column("now", Instant),
    Column("status", Key, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("summary", Json),
    PrimaryKeyConstraint("date", name="one_run_per_date"),
    CheckConstraint("status IN ('running', 'done', 'missed')", name="known_run_status"),
)

run_parts = Table(
    "run_parts",
    metadata,
    Column("date", Date, nullable=False),
    Column("first_shard", SmallInteger, nullable=False),
    Column("last_shard", SmallInteger, nullable=False),
    Column("worker", Text),
    Column("lease_until", Instant),
    Column("finished_at", Instant),
    Column("summary", Json),
    PrimaryKeyConstraint("date", "first_shard"),
)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    # Empty after a kill: whoever drained says so.
    Column("stopped_at", Instant),
    PrimaryKeyConstraint("name", name="one_row_per_worker"),
)

downtimes = Table(
    "downtimes",
    metadata,
    # The last sign of life before it: the same for all workers that come back together.
    Column("began_at", Instant, nullable=False, autoincrement=False),
    Column("ended_at", Instant, nullable=False),
    Column("cost", Json),
    PrimaryKeyConstraint("began_at", name="one_row_per_downtime"),
)

checks = Table(
    "checks",
    metadata,
    Column("date", Date, nullable=False),
    Column("worker", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("finished_at", Instant),
    Column("ok", Boolean),
    # {"counts": {invariant: n}, "violations": [the first of them], "seconds": s}
    Column("found", Json),
    PrimaryKeyConstraint("date", name="one_check_per_date"),
)

pauses = Table(
    "pauses",
    metadata,
    # everything | playbook:<key> | provider:<key> | customer:<id>
    Column("scope", Key, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
)

# What all workers know of a provider. Rates and what was under way together are about real time, `paused_for` is not.
provider_health = Table(
    "provider_health",
    metadata,
    Column("provider", Key, primary_key=True),
    Column("free_at", Instant),  # the first instant at which no call has a slot yet
    Column("share", Float, nullable=False, server_default="1"),  # of the configured rate, when it was slowed
    Column("slowed_at", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),  # calls in a row
    Column("proven", Boolean, nullable=False, server_default=text("false")),
    Column("paused_for", Integer, nullable=False, server_default="0"),  # seconds, until it is proven again
    Column("paused_at", Instant),
    Column("tried_by", Text),  # the worker that alone may post to it while it is not proven
    Column("tried_until", Instant),
)

# A playbook of whose last answered messages some were refused; a row for any other would say nothing.
playbook_health = Table(
    "playbook_health",
    metadata,
    Column("playbook", Key, primary_key=True),
    Column("recent", Json, nullable=False),
)

# What pages tell of millions of rows, counted once: the newest of each kind is read.
figures = Table(
    "figures",
    metadata,
    Column("date", Date, nullable=False),
    Column("kind", Key, nullable=False),
    Column("as_of", Instant, nullable=False),
    Column("counted", Json, nullable=False),
    PrimaryKeyConstraint("kind", "date", name="one_count_per_date"),
)

OPEN_INCIDENT = text("closed_at IS NULL")
incidents = Table(
    "incidents",
    metadata,
    Column("number", Id, primary_key=True),
    Column("kind", Key, nullable=False),
    # provider:<key> | playbook:<key> | messages | files | …
    Column("about", Key, nullable=False),
    Column("words", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    # When the webhook was told that it had opened; `next_try_at` is there as long as there is something to tell.
    Column("told_at", Instant),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_try_at", Instant),
    Index(
        "one_open_incident",
        "kind",
        "about",
        unique=True,
        sqlite_where=OPEN_INCIDENT,
        postgresql_where=OPEN_INCIDENT,
    ),
    Index(
        "incidents_to_tell",
        "next_try_at",
        sqlite_where=text("next_try_at IS NOT NULL"),
        postgresql_where=text("next_try_at IS NOT NULL"),
    ),
)
