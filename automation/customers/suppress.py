"""What a refusal or an outcome teaches about an address: written once, never undone by an import."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import record_consent
from automation.customers.facts.touch import touch
from automation.database.brake import pull_brake
from automation.database.schema import customers, lifted_suppressions, suppressions
from automation.database.types import Instant

STOPPED, SUSPECTED = "unsubscribed", "suspected_stop"
OWN_WISH = frozenset({STOPPED, SUSPECTED})  # what a new yes of the customer undoes; a bounce or a complaint stays


def suppress_address(
    connection: Connection, channel: str, address: str, reason: str, source: str, now: datetime
) -> None:
    """Nothing is written to this address any more. The address is what is bad, not the person. A reason that no new yes
    undoes takes the place of one that it does.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"channel": channel, "address": address, "reason": reason, "source": source, "recorded_at": now}
    new = dialect.insert(suppressions).values(row)
    harder = and_(suppressions.c.reason.in_(OWN_WISH), new.excluded.reason.not_in(OWN_WISH))
    known = {"reason": new.excluded.reason, "source": new.excluded.source}
    both = new.on_conflict_do_update(index_elements=["channel", "address"], set_=known, where=harder)
    if connection.execute(both).rowcount:
        pull_brake(connection)
        _touch_all(connection, channel, address)


def lift_suppression(
    connection: Connection, channel: str, address: str, reasons: Collection[str], now: datetime
) -> bool:
    """The address may be written to again, if it was for one of these reasons that it must not; whether it was."""
    mine = and_(
        suppressions.c.channel == channel, suppressions.c.address == address, suppressions.c.reason.in_(reasons)
    )
    was = select(*suppressions.c, literal(now, Instant)).where(mine)
    lifted = insert(lifted_suppressions).from_select([*suppressions.c.keys(), "lifted_at"], was)
    if connection.execute(lifted).rowcount == 0:
        return False
    connection.execute(delete(suppressions).where(mine))
    _touch_all(connection, channel, address)
    return True


def _touch_all(connection: Connection, channel: str, address: str) -> None:
    """Whether they can be written to is a fact of everybody at this address."""
    theirs = (customers.c.email if channel == "email" else customers.c.phone) == address
    touch(connection, select(customers.c.shard, customers.c.customer_id).where(theirs).subquery())


def withdraw_consent(
    connection: Connection, shard: int, customer_id: str, channel: str, source: str, actor: str, now: datetime
) -> None:
    """The person wants no more of this channel: a new row of the consent ledger, on every topic."""
    said: dict[str, Any] = {"channel": channel, "granted": False, "basis": "withdrawn"}
    record_consent(connection, shard, customer_id, now, **said, source=source, actor=actor)
