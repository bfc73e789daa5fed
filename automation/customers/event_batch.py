"""Merging a batch of events: each id counts once, whatever is imported again."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, delete, exists, literal, select, true

from automation.customers.customer_batch import ERASED
from automation.customers.facts.touch import touch
from automation.customers.records import Event
from automation.customers.rejects import Reject, Rejected
from automation.customers.staging import Row, insert_into, stage, stage_again, staged_events, stored, unstage
from automation.database.schema import customers, events, shard_of
from automation.database.types import Json


@dataclass
class Merged:
    """How many of a batch's rows did what."""

    created: int = 0
    duplicates: int = 0
    rejected: list[Reject] = field(default_factory=list)


class EventBatch:
    """Brings a batch into the database. The first event of an id wins; one of an unknown customer creates them.

    A customer created so has no profile yet: their stage is known, and nothing can be sent to them.
    Making it stages the rows; `write` is the work of the database alone.
    """

    def __init__(self, connection: Connection, batch: Sequence[tuple[int, Event]]) -> None:
        self._connection, self._count = connection, len(batch)
        self._merged = Merged()
        rows = _first_of_each(connection, batch)
        stage(connection, staged_events, sorted(rows))
        erased = _erased(connection)
        if erased:
            self._merged.rejected = [
                (line, Rejected("customer_id", ERASED), event.event_id)
                for line, event in batch
                if event.customer_id in erased
            ]
            stage_again(connection, staged_events, sorted(row for row in rows if row[1] not in erased))

    def write(self) -> Merged:
        """Bring what is staged into the tables."""
        merged = self._merged
        _create_customers(self._connection)
        merged.created = _insert_new(self._connection)
        merged.duplicates = self._count - merged.created - len(merged.rejected)
        unstage(self._connection, staged_events)
        return merged


def _first_of_each(connection: Connection, batch: Sequence[tuple[int, Event]]) -> list[Row]:
    time_of = stored(connection)
    rows: dict[tuple[str, str], Row] = {}
    for _, (event_id, customer_id, name, time, properties) in batch:
        key = (customer_id, event_id)
        if key not in rows:
            rows[key] = (shard_of(customer_id), customer_id, event_id, name, time_of(time), properties)
    return list(rows.values())


SAME_CUSTOMER = and_(customers.c.shard == staged_events.c.shard, customers.c.customer_id == staged_events.c.customer_id)


def _erased(connection: Connection) -> set[str]:
    rows = select(customers.c.customer_id).join(staged_events, SAME_CUSTOMER).where(customers.c.erased_at.is_not(None))
    return set(connection.execute(rows).scalars())


def _create_customers(connection: Connection) -> None:
    key = (staged_events.c.shard, staged_events.c.customer_id)
    # To look first takes less time than to be refused by ON CONFLICT, which is for those created in between.
    rows = select(*key, literal({}, Json)).distinct().where(~exists().where(SAME_CUSTOMER)).order_by(*key)
    insert = insert_into(connection, customers).from_select(["shard", "customer_id", "attributes"], rows)
    connection.execute(insert.on_conflict_do_nothing())


def _insert_new(connection: Connection) -> int:
    key = ("shard", "customer_id", "event_id")
    there = exists().where(*(events.c[name] == staged_events.c[name] for name in key))
    connection.execute(delete(staged_events).where(there))
    rows = select(staged_events).where(true()).order_by(*(staged_events.c[name] for name in key))
    insert = insert_into(connection, events).from_select(staged_events.columns.keys(), rows)
    created = connection.execute(insert.on_conflict_do_nothing()).rowcount
    if created:
        touch(connection, staged_events)
    return created
