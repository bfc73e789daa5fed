"""Whose addresses a person may read. Support staff and admins read all of them; others ask for one customer, with a
reason that stays on record.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from automation.customers.lookup import find_customer
from automation.database.accounts import unmasked
from automation.database.audit import note
from automation.errors import BadInput
from automation.web.accounts.users import Person
from automation.web.masks import hide_in, masked

READ_ALL = frozenset({"support", "admin"})
LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class Sight:
    """What one person may read. `until`: for customers that they asked for, how long."""

    reads_all: bool = False
    until: Mapping[str, datetime] = field(default_factory=dict)

    def is_clear(self, customer_id: str | None) -> bool:
        return self.reads_all or customer_id in self.until

    def of(self, customer_id: str | None, address: str | None) -> str | None:
        return address if address is None or self.is_clear(customer_id) else masked(address)

    def text(self, customer_id: str | None, text: str) -> str:
        """The same for addresses and numbers somewhere in a text."""
        return text if self.is_clear(customer_id) else hide_in(text)


def sight_of(connection: Connection, person: Person, now: datetime) -> Sight:
    if person.role in READ_ALL:
        return Sight(reads_all=True)
    asked = select(unmasked.c.customer_id, unmasked.c.until).where(
        unmasked.c.name == person.name, unmasked.c.until > now
    )
    return Sight(until=dict(connection.execute(asked).all()))


def unmask(connection: Connection, person: Person, customer_id: str, reason: str, now: datetime) -> None:
    """They may read this customer's addresses for an hour. Raises UnknownCustomer; BadInput without a reason."""
    if not reason.strip():
        raise BadInput("say why you need to read the address; it stays on record")
    customer = find_customer(connection, customer_id)
    mine = (unmasked.c.name == person.name, unmasked.c.shard == customer.shard)
    connection.execute(delete(unmasked).where(*mine, unmasked.c.customer_id == customer_id))
    row = {"name": person.name, "shard": customer.shard, "customer_id": customer_id, "until": now + LASTS}
    connection.execute(insert(unmasked), row)
    note(connection, person.name, "unmasked", f"customer:{customer_id}", reason.strip(), now)
