"""Merging a batch of customers: what a row does not tell stays, and a row that changes nothing writes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Select, Text, and_, cast, select, true

from automation.customers import consent
from automation.customers.content import CANONICAL, read_json
from automation.customers.facts.touch import touch
from automation.customers.records import Customer
from automation.customers.rejects import Reject, Rejected
from automation.customers.staging import Row, insert_into, stage, stage_again, staged_customers, stored, unstage
from automation.database.schema import customers, shard_of

ERASED = "this customer was erased; take them out of the file"
NOTHING = "{}"
NOT_TOLD = (None, None)


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


class CustomerBatch:
    """Brings a batch into the database; later rows of one customer win over earlier ones.

    Making it stages the rows and decides what they change; `write` is the work of the database alone.
    """

    def __init__(
        self, connection: Connection, batch: Sequence[tuple[int, Customer]], source: str, now: datetime
    ) -> None:
        self._connection, self._source, self._now = connection, source, now
        self._time = stored(connection)
        self._merged = Merged()
        rows = {told.customer_id: self._newcomer(told) for _, told in batch}
        stage(connection, staged_customers, sorted(rows.values()))
        known, erased = _known(connection)
        recorded = consent.recorded_of(connection, staged_customers)
        self._consents = consent.Imported(recorded, source, self._time(now))
        met = {*known, *(row[0] for row in recorded), *_twice(batch, rows)}
        if met:
            rows = {customer_id: row for customer_id, row in rows.items() if customer_id not in met}
            changed = self._changed([one for one in batch if one[1].customer_id in met], known, erased)
            stage_again(connection, staged_customers, sorted([*rows.values(), *changed]))
        self._merged.created += len(rows)

    def write(self) -> Merged:
        """Bring what is staged into the tables."""
        _upsert(self._connection)
        consent.add_first(self._connection, staged_customers, self._source, self._now)
        consent.add(self._connection, self._consents)
        touch(self._connection, staged_customers)
        unstage(self._connection, staged_customers)
        return self._merged

    def _newcomer(self, told: Customer) -> Row:
        """A row for `staged_customers`: all that will be known of a customer of whom nothing is."""
        customer_id, email, phone, locale, timezone, country, signup_at, by_email, by_sms, attributes = told
        place = (shard_of(customer_id), customer_id, email, phone, locale, timezone, country)
        return (*place, self._time(signup_at), attributes, by_email, by_sms)

    def _changed(self, batch: list[tuple[int, Customer]], known: dict[str, Profile], erased: set[str]) -> Iterable[Row]:
        """Rows for `staged_customers`, of customers met before: in the database, or in another row of the batch."""
        changed: set[str] = set()
        for line, told in batch:
            customer_id = told.customer_id
            if customer_id in erased:
                self._merged.rejected.append((line, Rejected("customer_id", ERASED), customer_id))
                continue
            before = known.get(customer_id)
            after = known[customer_id] = _merged(before, told)
            consented = _tell_consents(self._consents, after.shard, told)
            if after is not before or consented:
                changed.add(customer_id)
            self._merged.count(new=before is None, changed=after is not before or consented)
        rows = (known[customer_id] for customer_id in changed)
        return [(*one[:7], self._time(one.signup_at), one.attributes, *NOT_TOLD) for one in rows]


def _twice(batch: Sequence[tuple[int, Customer]], rows: Mapping[str, Row]) -> set[str]:
    if len(rows) == len(batch):
        return set()
    return {customer_id for customer_id, count in Counter(told.customer_id for _, told in batch).items() if count > 1}


def _known(connection: Connection) -> tuple[dict[str, Profile], set[str]]:
    """The customers of the batch that are there, and the ids of those erased."""
    rows = connection.execute(_of_batch().with_for_update(of=customers)).all()
    found = {row.customer_id: Profile._make(tuple(row)[:-1]) for row in rows}
    return found, {row.customer_id for row in rows if row.erased_at is not None}


def _of_batch() -> Select[tuple[object, ...]]:
    staged = staged_customers.c
    same = and_(customers.c.shard == staged.shard, customers.c.customer_id == staged.customer_id)
    written = {"attributes": cast(customers.c.attributes, Text).label("attributes")}
    columns = [written.get(name, customers.c[name]) for name in (*Profile._fields, "erased_at")]
    return select(*columns).join(staged_customers, same).order_by(customers.c.shard, customers.c.customer_id)


def _merged(before: Profile | None, told: Customer) -> Profile:
    """The profile with what is told; `before` itself when that changes nothing."""
    if before is None:
        return Profile(shard_of(told.customer_id), *told[:7], told.attributes)
    after = Profile(
        before.shard,
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


def _upsert(connection: Connection) -> None:
    """Staged rows hold everything known of a customer."""
    names = Profile._fields
    rows = (
        select(*(staged_customers.c[name] for name in names))
        .where(true())
        .order_by(staged_customers.c.shard, staged_customers.c.customer_id)
    )
    insert = insert_into(connection, customers).from_select(names, rows)
    told = {name: insert.excluded[name] for name in names if name not in {"shard", "customer_id"}}
    connection.execute(insert.on_conflict_do_update(index_elements=["shard", "customer_id"], set_=told))
