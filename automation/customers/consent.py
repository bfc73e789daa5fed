"""The consent ledger: append-only, permission per channel and topic. The newest row on the topic or on "*" decides.

Whoever adds a row first locks the customer's own row, so that two writers never take the same number.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, FromClause, Text, and_, case, func, insert, literal, select

from automation.customers.facts.touch import touch_one
from automation.customers.staging import Row, insert_into, write
from automation.database.brake import pull_brake
from automation.database.schema import consents, customers
from automation.database.types import Instant

EVERY_TOPIC = "*"
CHANNELS = ("email", "sms")
IMPORT = "import"
GRANTED = list(consents.columns).index(consents.c.granted)


@dataclass(frozen=True)
class Evidence:
    """What a yes rests on: `soft_opt_in` is permission by a purchase, where the law knows it; the wording is what the
    customer read.
    """

    basis: Literal["import", "soft_opt_in"] = "import"
    wording: str | None = None


UNTOLD = Evidence()


def record_consent(
    connection: Connection,
    shard: int,
    customer_id: str,
    now: datetime,
    *,
    channel: str,
    topic: str = EVERY_TOPIC,
    granted: bool,
    basis: str,
    source: str,
    actor: str,
    wording: str | None = None,
) -> None:
    """One person's yes or no, on the record for good; whoever takes a consent back is heeded before the next post."""
    lock_customer(connection, shard, customer_id)
    newest = select(func.coalesce(func.max(consents.c.number), 0)).where(
        consents.c.shard == shard, consents.c.customer_id == customer_id
    )
    row = {"shard": shard, "customer_id": customer_id, "number": connection.execute(newest).scalar_one() + 1}
    row |= {"channel": channel, "topic": topic, "granted": granted, "basis": basis, "wording": wording}
    connection.execute(insert(consents), row | {"source": source, "actor": actor, "recorded_at": now})
    if not granted:
        pull_brake(connection)
    touch_one(connection, shard, customer_id)


def lock_customer(connection: Connection, shard: int, customer_id: str) -> None:
    """Until the transaction ends nobody else adds to what is on record of this customer."""
    of = and_(customers.c.shard == shard, customers.c.customer_id == customer_id)
    connection.execute(select(customers.c.shard).where(of).with_for_update())


def lock_customers(connection: Connection, keys: Iterable[tuple[int, str]]) -> None:
    """Whoever takes permissions of several back locks them first, in this order, and pulls the brake afterwards: two
    who do so never wait for each other.
    """
    if connection.dialect.name == "postgresql":
        for shard, customer_id in sorted(set(keys)):
            lock_customer(connection, shard, customer_id)


class Imported:
    """The consents of a batch of customers: what is on record, and what the file adds to it."""

    def __init__(self, recorded: Sequence[Row], source: str, now: Any, evidence: Evidence = UNTOLD) -> None:
        """`recorded`: (customer_id, number, channel, topic, granted) in order of number; `now` as it is stored."""
        self.rows: list[Row] = []
        self._source, self._now, self._evidence = source, now, evidence
        self._last_number: dict[str, int] = {}
        self._standing: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for customer_id, number, channel, topic, granted in recorded:
            self._last_number[customer_id] = number
            self._note(customer_id, channel, topic, granted)

    @property
    def customers(self) -> Iterable[str]:
        """The ids of those with anything on record."""
        return self._last_number.keys()

    @property
    def withdraws(self) -> bool:
        """Whether what the file says takes a consent back."""
        return any(not row[GRANTED] for row in self.rows)

    def tell(self, shard: int, customer_id: str, channel: str, granted: bool) -> bool:
        """Record what the file says, when it changes anything; whether it did.

        Yes counts only where nothing is on record: it never undoes an unsubscribe. No withdraws what stands.
        """
        known = (customer_id, channel)
        if (known in self._standing) if granted else not self._standing.get(known):
            return False
        number = self._last_number[customer_id] = self._last_number.get(customer_id, 0) + 1
        self._note(customer_id, channel, EVERY_TOPIC, granted)
        basis, wording = (self._evidence.basis, self._evidence.wording) if granted else (IMPORT, None)
        said = (channel, EVERY_TOPIC, granted, basis, wording, self._source, IMPORT, self._now)
        self.rows.append((shard, customer_id, number, *said))
        return True

    def _note(self, customer_id: str, channel: str, topic: str, granted: bool) -> None:
        standing = self._standing[customer_id, channel]
        if granted:
            standing.add(topic)
        elif topic == EVERY_TOPIC:
            standing.clear()
        else:
            standing.discard(topic)


def recorded_of(connection: Connection, staged: FromClause) -> Sequence[Row]:
    """(customer_id, number, channel, topic, granted) of the customers in `staged`, in order of number."""
    same = and_(consents.c.shard == staged.c.shard, consents.c.customer_id == staged.c.customer_id)
    columns = (consents.c.customer_id, consents.c.number, consents.c.channel, consents.c.topic, consents.c.granted)
    rows = (
        select(*columns)
        .select_from(staged.join(consents, same))
        .order_by(staged.c.shard, staged.c.customer_id, consents.c.number)
    )
    return connection.execute(rows).all()


def add_first(connection: Connection, staged: FromClause, source: str, now: datetime, evidence: Evidence) -> None:
    """The same for the customers in `staged`, who have nothing on record: a yes counts, a no withdraws nothing.

    `staged` has a row for each, with `email_consent` and `sms_consent`, which are null when nothing is told.
    """
    numbers = {"email": literal(1), "sms": case((staged.c.email_consent, 2), else_=1)}
    for channel, number in numbers.items():
        of_all = map(literal, (channel, EVERY_TOPIC, True, evidence.basis))
        wording = literal(evidence.wording, Text)
        said = (*of_all, wording, literal(source), literal(IMPORT), literal(now, Instant))
        rows = select(staged.c.shard, staged.c.customer_id, number, *said).where(staged.c[f"{channel}_consent"])
        connection.execute(insert_into(connection, consents).from_select(consents.columns.keys(), rows))


def add(connection: Connection, imported: Imported) -> None:
    write(connection, consents, sorted(imported.rows))  # in order of the key: neighbors share a page
    if imported.withdraws:
        pull_brake(connection)
