"""Importing a file: read, cleaned, merged in batches. Each batch is one transaction, so a killed import is run again.

Importing the same file again changes nothing.
"""

from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from automation.customers.customer_batch import merge_customers
from automation.customers.event_batch import merge_events
from automation.customers.reading import Progress, Reading
from automation.customers.records import CUSTOMER_COLUMNS, EVENT_COLUMNS, customer, event
from automation.customers.staging import begin_batch
from automation.database.engine import Database


@dataclass(frozen=True)
class CustomersImported:
    """What became of a file's rows: `read` is the sum of the four counts after it."""

    read: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    rejects_file: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class EventsImported:
    """What became of a file's rows: `read` is the sum of the three counts after it."""

    read: int
    created: int
    duplicates: int
    rejected: int
    rejects_file: str | None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def import_customers(
    database: Database, path: Path, now: datetime, progress: Progress | None = None
) -> CustomersImported:
    """Customers of a CSV, JSON Lines or Parquet file; `progress` is told the bytes read and the file's size.

    Bad rows go to `<file>.rejects.csv`. Raises BadInput, before anything is written, when the file as a whole cannot
    be used, and on the way when it turns out to be damaged: what was read until then stays.
    """
    created = updated = unchanged = 0
    with Reading(path, CUSTOMER_COLUMNS, customer, progress) as reading:
        for batch in reading.batches():
            with database.writing() as connection:
                begin_batch(connection)
                merged = merge_customers(connection, batch, path.name, now)
            created += merged.created
            updated += merged.updated
            unchanged += merged.unchanged
            reading.reject(merged.rejected)
    return CustomersImported(reading.read, created, updated, unchanged, reading.rejected, reading.rejects_file)


def import_events(
    database: Database,
    path: Path,
    now: datetime,  # noqa: ARG001 (both imports are called alike; events bring their own time)
    progress: Progress | None = None,
) -> EventsImported:
    """Events, likewise. One of a customer who is not known yet creates them, without a profile."""
    created = duplicates = 0
    with Reading(path, EVENT_COLUMNS, event, progress) as reading:
        for batch in reading.batches():
            with database.writing() as connection:
                begin_batch(connection)
                merged = merge_events(connection, batch)
            created += merged.created
            duplicates += merged.duplicates
            reading.reject(merged.rejected)
    return EventsImported(reading.read, created, duplicates, reading.rejected, reading.rejects_file)
