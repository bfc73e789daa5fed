"""Importing a file: read, cleaned, merged in batches. Each batch is one transaction, so a killed import is run again.

Importing the same file again changes nothing.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from automation.customers.consent import UNTOLD, Evidence
from automation.customers.customer_batch import CustomerBatch
from automation.customers.event_batch import EventBatch
from automation.customers.reading import Progress, Reading
from automation.customers.records import CUSTOMER_COLUMNS, EVENT_COLUMNS, buyer, customer, event
from automation.customers.staging import begin_batch
from automation.database.engine import Database

# A batch changes each page of a table once, so large ones write less: a page holds many customers, but few events of
# one batch. Whoever is known already takes three times the memory of a new customer.
CUSTOMERS_AT_ONCE, EVENTS_AT_ONCE = 20_000, 40_000
Rows = list[tuple[int, Any]]
Merged = TypeVar("Merged")
Merged_co = TypeVar("Merged_co", covariant=True)


class Batch(Protocol[Merged_co]):
    """A batch of which it is decided what it changes."""

    def write(self) -> Merged_co: ...


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
    database: Database, path: Path, now: datetime, progress: Progress | None = None, evidence: Evidence = UNTOLD
) -> CustomersImported:
    """Customers of a CSV, JSON Lines or Parquet file; `progress` is told the bytes read and the file's size.

    `evidence`: what the consents in it rest on.
    Bad rows go to `<file>.rejects.csv`. Raises BadInput, before anything is written, when the file as a whole cannot
    be used, and on the way when it turns out to be damaged: what was read until then stays.
    """
    created = updated = unchanged = 0
    clean = partial(buyer, on=now.date()) if evidence.basis == "soft_opt_in" else customer
    with Reading(path, CUSTOMER_COLUMNS, clean, CUSTOMERS_AT_ONCE, progress) as reading:
        for merged in _merged(database, reading, partial(CustomerBatch, source=path.name, now=now, evidence=evidence)):
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
    with Reading(path, EVENT_COLUMNS, event, EVENTS_AT_ONCE, progress) as reading:
        for merged in _merged(database, reading, EventBatch):
            created += merged.created
            duplicates += merged.duplicates
            reading.reject(merged.rejected)
    return EventsImported(reading.read, created, duplicates, reading.rejected, reading.rejects_file)


def _merged(
    database: Database, reading: Reading[Any], merge: Callable[[Connection, Rows], Batch[Merged]]
) -> Iterator[Merged]:
    """Merge batch after batch, in order, each in one transaction.

    The database writes one, which needs no Python, while the next one is being read and cleaned.
    """
    with ThreadPoolExecutor(1) as one_behind:
        under_way: Future[Merged] | None = None
        for batch in reading.batches():
            if under_way is not None:
                yield under_way.result()
            under_way = one_behind.submit(_begun(database, merge, batch))
            del batch  # its memory is for the next one
        if under_way is not None:
            yield under_way.result()


def _begun(database: Database, merge: Callable[[Connection, Rows], Batch[Merged]], batch: Rows) -> Callable[[], Merged]:
    """The batch merged but not written; what is returned writes and commits."""
    with ExitStack() as transaction:
        connection = transaction.enter_context(database.writing())
        begin_batch(connection)
        merging = merge(connection, batch)
        rest = transaction.pop_all()

    def write() -> Merged:
        with rest:
            return merging.write()

    return write
