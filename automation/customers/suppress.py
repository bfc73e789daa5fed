"""What a refusal or an outcome teaches about an address: written once, never undone by an import."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.facts.touch import touch
from automation.database.brake import pull_brake
from automation.database.schema import consents, customers, suppressions
from automation.database.types import Key


def suppress_address(
    connection: Connection, channel: str, address: str, reason: str, source: str, now: datetime
) -> None:
    """Nothing is written to this address any more. The address is what is bad, not the person."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"channel": channel, "address": address, "reason": reason, "source": source, "recorded_at": now}
    new = dialect.insert(suppressions).values(row)
    if connection.execute(new.on_conflict_do_nothing(index_elements=["channel", "address"])).rowcount:
        pull_brake(connection)


def withdraw_consent(
    connection: Connection, shard: int, customer_id: str, channel: str, source: str, actor: str, now: datetime
) -> None:
    """The person wants no more of this channel: a new row of the consent ledger, on every topic."""
    newest = select(func.coalesce(func.max(consents.c.number), 0)).where(
        consents.c.shard == shard, consents.c.customer_id == customer_id
    )
    row = {
        "shard": shard,
        "customer_id": customer_id,
        "number": connection.execute(newest).scalar_one() + 1,
        "channel": channel,
        "topic": "*",
        "granted": False,
        "basis": "withdrawn",
        "source": source,
        "actor": actor,
        "recorded_at": now,
    }
    connection.execute(insert(consents), row)
    pull_brake(connection)
    touch_one(connection, shard, customer_id)


def lock_customer(connection: Connection, shard: int, customer_id: str) -> None:
    """Until the transaction ends nobody else who asks adds to this customer's consents."""
    mine = (customers.c.shard == shard, customers.c.customer_id == customer_id)
    connection.execute(select(customers.c.shard).where(*mine).with_for_update())


def touch_one(connection: Connection, shard: int, customer_id: str) -> None:
    touch(connection, select(literal(shard).label("shard"), literal(customer_id, Key).label("customer_id")).subquery())
