"""What a refusal or an outcome teaches about an address: written once, never undone by an import."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import record_consent
from automation.database.brake import pull_brake
from automation.database.schema import suppressions


def suppress_address(
    connection: Connection, channel: str, address: str, reason: str, source: str, now: datetime
) -> None:
    """Nothing is written to this address any more. The address is what is bad, not the person."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"channel": channel, "address": address, "reason": reason, "source": source, "recorded_at": now}
    new = dialect.insert(suppressions).values(row)
    if connection.execute(new.on_conflict_do_nothing(index_elements=["channel", "address"])).rowcount:
        pull_brake(connection)


STOPPED, SUSPECTED = "unsubscribed", "suspected_stop"
OWN_WISH = frozenset({STOPPED, SUSPECTED})  # what a new yes of the customer undoes; a bounce or a complaint stays


def lift_suppression(connection: Connection, channel: str, address: str, reasons: Collection[str]) -> bool:
    """The address may be written to again, if it was for one of these reasons that it must not; whether it was."""
    mine = (suppressions.c.channel == channel, suppressions.c.address == address)
    return connection.execute(delete(suppressions).where(*mine, suppressions.c.reason.in_(reasons))).rowcount > 0


def withdraw_consent(
    connection: Connection, shard: int, customer_id: str, channel: str, source: str, actor: str, now: datetime
) -> None:
    """The person wants no more of this channel: a new row of the consent ledger, on every topic."""
    said: dict[str, Any] = {"channel": channel, "granted": False, "basis": "withdrawn"}
    record_consent(connection, shard, customer_id, now, **said, source=source, actor=actor)
