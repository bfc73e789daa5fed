"""Tables about the work itself: who does it, when nobody did, and what the nightly check found.

With them, and only then, `metadata` knows every table.
"""

from sqlalchemy import Boolean, Column, Date, PrimaryKeyConstraint, Table, Text

from automation.database.schema import metadata
from automation.database.types import Instant, Json

__all__ = ["checks", "downtimes", "metadata", "workers"]

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
