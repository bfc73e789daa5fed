"""Merging a batch of events: each id counts once, whatever is imported again."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import Connection, and_, delete, exists, literal, select, true

from automation.customers.customer_batch import ERASED
from automation.customers.facts.touch import touch
from automation.customers.records import Event
from automation.customers.rejects import Reject, Rejected
from automation.customers.staging import Row, insert_into, staged, staged_events, staged_ids, stored
from automation.database.schema import customers, events, shard_of
from automation.database.types import Json


@dataclass
class Merged:
    """How many of a batch's rows did what."""

    created: int = 0
    duplicates: int = 0
    rejected: list[Reject] = field(default_factory=list)


def merge_events(connection: Connection, batch: Iterable[tuple[int, Event]]) -> Merged:
    """Bring the batch into the database. The first event of an id wins; one of an unknown customer creates them.

    A customer created so has no profile yet: their stage is known, and nothing can be sent to them.
    """
    batch = list(batch)
    shards = {customer_id: shard_of(customer_id) for customer_id in {event.customer_id for _, event in batch}}
    with staged(connection, staged_ids, sorted((shard, customer_id) for customer_id, shard in shards.items())):
        erased = _erased(connection)
        _create_customers(connection)
    merged = Merged()
    stored_time = stored(connection)
    rows: dict[tuple[str, str], Row] = {}
    for line, event in batch:
        event_id, customer_id, name, time, properties = event
        if customer_id in erased:
            merged.rejected.append((line, Rejected("customer_id", ERASED), event_id))
        elif (customer_id, event_id) in rows:
            merged.duplicates += 1
        else:
            row = (shards[customer_id], customer_id, event_id, name, stored_time(time), properties)
            rows[customer_id, event_id] = row
    with staged(connection, staged_events, list(rows.values())):
        merged.created = _insert_new(connection)
    merged.duplicates += len(rows) - merged.created
    return merged


def _erased(connection: Connection) -> set[str]:
    same = and_(customers.c.shard == staged_ids.c.shard, customers.c.customer_id == staged_ids.c.customer_id)
    rows = select(customers.c.customer_id).join(staged_ids, same).where(customers.c.erased_at.is_not(None))
    return set(connection.execute(rows).scalars())


def _create_customers(connection: Connection) -> None:
    rows = select(staged_ids.c.shard, staged_ids.c.customer_id, literal({}, Json)).where(true())
    insert = insert_into(connection, customers).from_select(
        ["shard", "customer_id", "attributes"], rows.order_by(staged_ids.c.shard, staged_ids.c.customer_id)
    )
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
