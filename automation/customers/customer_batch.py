"""Merging a batch of customers: what a row does not tell stays, and a row that changes nothing writes nothing."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Select, Text, and_, cast, select, true

from automation.customers import consent
from automation.customers.content import CANONICAL, read_json
from automation.customers.facts.touch import touch
from automation.customers.records import Customer
from automation.customers.rejects import Reject, Rejected
from automation.customers.staging import insert_into, staged, staged_customers, staged_ids, stored
from automation.database.schema import customers, shard_of

ERASED = "this customer was erased; take them out of the file"
NOTHING = "{}"


class Profile(NamedTuple):
    """A customer's row, `attributes` as JSON text."""

    shard: int
    customer_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    country: str | None
    signup_at: datetime | None
    attributes: str


@dataclass
class Merged:
    """How many of a batch's rows did what."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[Reject] = field(default_factory=list)

    def count(self, *, new: bool, changed: bool) -> None:
        if new:
            self.created += 1
        elif changed:
            self.updated += 1
        else:
            self.unchanged += 1


def merge_customers(
    connection: Connection, batch: Iterable[tuple[int, Customer]], source: str, now: datetime
) -> Merged:
    """Bring the batch into the database; later rows of one customer win over earlier ones."""
    rows = [(line, shard_of(told.customer_id), told) for line, told in batch]
    with staged(connection, staged_ids, sorted({(shard, told.customer_id) for _, shard, told in rows})):
        known, erased = _known(connection)
        consents = consent.Imported(consent.recorded_of(connection, staged_ids), source, stored(connection)(now))
    merged = Merged()
    changed: dict[str, Profile] = {}
    for line, shard, told in rows:
        customer_id = told.customer_id
        if customer_id in erased:
            merged.rejected.append((line, Rejected("customer_id", ERASED), customer_id))
            continue
        before = known.get(customer_id)
        after = _merged(before, shard, told)
        if after is not before:
            known[customer_id] = changed[customer_id] = after
        consented = _tell_consents(consents, shard, told)
        merged.count(new=before is None, changed=after is not before or consented)
    _write(connection, list(changed.values()), consents)
    return merged


def _known(connection: Connection) -> tuple[dict[str, Profile], set[str]]:
    """The customers of the batch that are there, and the ids of those erased."""
    rows = connection.execute(_of_batch().with_for_update(of=customers)).all()
    found = {row.customer_id: Profile._make(tuple(row)[:-1]) for row in rows}
    return found, {row.customer_id for row in rows if row.erased_at is not None}


def _of_batch() -> Select[tuple[object, ...]]:
    same = and_(customers.c.shard == staged_ids.c.shard, customers.c.customer_id == staged_ids.c.customer_id)
    written = {"attributes": cast(customers.c.attributes, Text).label("attributes")}
    columns = [written.get(name, customers.c[name]) for name in (*Profile._fields, "erased_at")]
    return select(*columns).join(staged_ids, same).order_by(customers.c.shard, customers.c.customer_id)


def _merged(before: Profile | None, shard: int, told: Customer) -> Profile:
    """The profile with what is told; `before` itself when that changes nothing."""
    if before is None:
        return Profile(shard, *told[:7], told.attributes)
    after = Profile(
        shard,
        before.customer_id,
        told.email or before.email,
        told.phone or before.phone,
        told.locale or before.locale,
        told.timezone or before.timezone,
        told.country or before.country,
        told.signup_at or before.signup_at,
        _merged_attributes(before.attributes, told.attributes),
    )
    return before if after == before else after


def _merged_attributes(before: str, told: str) -> str:
    """`before` itself when nothing changes: PostgreSQL writes the same JSON in another way."""
    if told in (NOTHING, before):
        return before
    known = read_json(before)
    after = CANONICAL(known | read_json(told))
    return before if after == CANONICAL(known) else after


def _tell_consents(consents: consent.Imported, shard: int, told: Customer) -> bool:
    email = told.email_consent is not None and consents.tell(shard, told.customer_id, "email", told.email_consent)
    sms = told.sms_consent is not None and consents.tell(shard, told.customer_id, "sms", told.sms_consent)
    return email or sms


def _write(connection: Connection, changed: list[Profile], consents: consent.Imported) -> None:
    if changed:
        time = stored(connection)
        with staged(connection, staged_customers, [(*one[:7], time(one.signup_at), one.attributes) for one in changed]):
            _upsert(connection)
    consent.add(connection, consents)
    touched = {(row[0], row[1]) for row in (*changed, *consents.rows)}
    if touched:
        with staged(connection, staged_ids, sorted(touched)):
            touch(connection, staged_ids)


def _upsert(connection: Connection) -> None:
    """Staged rows hold everything known of a customer."""
    names = staged_customers.columns.keys()
    rows = select(staged_customers).where(true()).order_by(staged_customers.c.shard, staged_customers.c.customer_id)
    insert = insert_into(connection, customers).from_select(names, rows)
    told = {name: insert.excluded[name] for name in names if name not in {"shard", "customer_id"}}
    connection.execute(insert.on_conflict_do_update(index_elements=["shard", "customer_id"], set_=told))
