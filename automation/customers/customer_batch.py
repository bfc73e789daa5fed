"""Merging a batch of customers: what a row does not tell stays, and a row that changes nothing writes nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Text, and_, cast, select, type_coerce
from sqlalchemy.types import NULLTYPE

from automation.customers import consent
from automation.customers.content import CANONICAL, read_json
from automation.customers.facts.touch import touch
from automation.customers.records import Customer
from automation.customers.referrals import credit
from automation.customers.rejects import Reject, Rejected
from automation.customers.staging import Row, stage, stage_again, staged_customers, stored, unstage, upsert
from automation.database.schema import customers, shard_of

ERASED = "this customer was erased; take them out of the file"
NOTHING = "{}"
NOT_TOLD = (None, None)


class Profile(NamedTuple):
    """A customer's row: `signup_at` as `stored` says, `attributes` as JSON text."""

    shard: int
    customer_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    country: str | None
    signup_at: Any
    attributes: str


WIDTH = len(Profile._fields)


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
        self,
        connection: Connection,
        batch: Sequence[tuple[int, Customer]],
        source: str,
        now: datetime,
        evidence: consent.Evidence = consent.UNTOLD,
    ) -> None:
        self._connection, self._source, self._now, self._evidence = connection, source, now, evidence
        self._merged = Merged()
        time = stored(connection)
        told = [_row(one, time) for _, one in batch]
        rows = {row[1]: row for row in told}
        stage(connection, staged_customers, sorted(rows.values()))
        known, erased = _known(connection)
        recorded = consent.recorded_of(connection, staged_customers)
        self._consents = consent.Imported(recorded, source, time(now), evidence)
        met = {*known, *self._consents.customers, *_twice(told, rows)}
        if met:
            rows = {customer_id: row for customer_id, row in rows.items() if customer_id not in met}
            again = [(line, row) for (line, _), row in zip(batch, told, strict=True) if row[1] in met]
            stage_again(connection, staged_customers, sorted([*rows.values(), *self._changed(again, known, erased)]))
        self._merged.created += len(rows)

    def write(self) -> Merged:
        """Bring what is staged into the tables."""
        upsert(self._connection, customers, staged_customers)
        consent.add_first(self._connection, staged_customers, self._source, self._now, self._evidence)
        consent.add(self._connection, self._consents)
        touch(self._connection, staged_customers)
        credit(self._connection, staged_customers, self._now)
        unstage(self._connection, staged_customers)
        return self._merged

    def _changed(self, rows: list[tuple[int, Row]], known: dict[str, Profile], erased: set[str]) -> Iterator[Row]:
        """Rows for `staged_customers`, of customers met before: in the database, or in another row of the batch."""
        changed: set[str] = set()
        for line, told in rows:
            customer_id = told[1]
            if customer_id in erased:
                self._merged.rejected.append((line, Rejected("customer_id", ERASED), customer_id))
                continue
            before = known.get(customer_id)
            after = known[customer_id] = _merged(before, told)
            differs = _tell_consents(self._consents, told) or after is not before
            self._merged.count(new=before is None, changed=differs)
            if differs:
                changed.add(customer_id)
        return ((*known[customer_id], *NOT_TOLD) for customer_id in changed)


def _row(told: Customer, time: Callable[[datetime | None], Any]) -> Row:
    """A row for `staged_customers`: a profile and two consents, which is all there is of a customer who is new."""
    customer_id, email, phone, locale, timezone, country, signup_at, by_email, by_sms, attributes = told
    place = (shard_of(customer_id), customer_id, email, phone, locale, timezone, country)
    return (*place, time(signup_at), attributes, by_email, by_sms)


def _twice(told: list[Row], rows: Mapping[str, Row]) -> set[str]:
    if len(rows) == len(told):
        return set()
    return {customer_id for customer_id, count in Counter(row[1] for row in told).items() if count > 1}


def _known(connection: Connection) -> tuple[dict[str, Profile], set[str]]:
    """The customers of the batch that are there, and the ids of those erased."""
    rows = connection.execute(_of_batch().with_for_update(of=customers)).all()
    known = {row[1]: Profile._make(row[:WIDTH]) for row in rows}
    return known, {row[1] for row in rows if row[WIDTH]}


def _of_batch() -> Select[tuple[Any, ...]]:
    """Profiles as they are staged, and whether they were erased."""
    same = and_(
        customers.c.shard == staged_customers.c.shard, customers.c.customer_id == staged_customers.c.customer_id
    )
    as_staged: dict[str, ColumnElement[Any]] = {
        "attributes": cast(customers.c.attributes, Text),
        "signup_at": type_coerce(customers.c.signup_at, NULLTYPE),
    }
    columns = [as_staged.get(name, customers.c[name]) for name in Profile._fields]
    rows = select(*columns, customers.c.erased_at.is_not(None)).join(staged_customers, same)
    return rows.order_by(customers.c.shard, customers.c.customer_id)


def _merged(before: Profile | None, told: Row) -> Profile:
    """The profile with what is told; `before` itself when that changes nothing."""
    if before is None:
        return Profile._make(told[:WIDTH])
    if before == told[:WIDTH]:
        return before
    _, _, email, phone, locale, timezone, country, signup_at, attributes, _, _ = told
    after = Profile(
        before.shard,
        before.customer_id,
        email or before.email,
        phone or before.phone,
        locale or before.locale,
        timezone or before.timezone,
        country or before.country,
        before.signup_at if signup_at is None else signup_at,
        _merged_attributes(before.attributes, attributes),
    )
    return before if after == before else after


def _merged_attributes(before: str, told: str) -> str:
    """`before` itself when nothing changes: PostgreSQL writes the same JSON in another way."""
    if told in (NOTHING, before):
        return before
    known = read_json(before)
    after = CANONICAL(known | read_json(told))
    return before if after == CANONICAL(known) else after


def _tell_consents(consents: consent.Imported, told: Row) -> bool:
    shard, customer_id, *_, by_email, by_sms = told
    email = by_email is not None and consents.tell(shard, customer_id, "email", by_email)
    sms = by_sms is not None and consents.tell(shard, customer_id, "sms", by_sms)
    return email or sms
