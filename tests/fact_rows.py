"""Rows that tests of facts put in, and the facts they read back."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import Connection, insert, literal, select

from automation.customers.facts.compute import facts_table
from automation.customers.facts.definition import FactDefinitions, read_definitions
from automation.customers.facts.refresh import facts_of
from automation.customers.facts.touch import touch
from automation.database.schema import Shards, consents, customers, events, metadata, shard_of
from automation.database.types import Key
from automation.tomlfile import parse_toml

NOW = datetime(2026, 3, 10, 6, tzinfo=UTC)
TODAY = date(2026, 3, 10)
ALL = Shards()
FACTS = """
[orders]
event = ["Order", "order"]
count = true
[web_orders_30d]
event = "Order"
count = true
within = "30 days"
where = { channel = "web" }
[big_or_gift]
event = "Order"
count = true
where = { gift = true, size = ["L", 3] }
[revenue]
event = "Order"
sum = "amount"
[net]
event = "Order"
sum = "amount"
minus = "Refund"
[paid_orders]
event = "Order"
count = true
unless = { amount = { at_most = 0 }, gift = true }
[middling]
event = "Order"
count = true
where = { amount = { above = -20, below = 500 } }
[dollars]
event = "Order"
sum = "amount"
currency = "USD"
[largest]
event = "Order"
max = "amount"
[smallest]
event = "Order"
min = "amount"
[first_order]
event = "Order"
first = "time"
[last_order]
event = "Order"
last = "time"
[first_channel]
event = "Order"
first = "channel"
type = "text"
[last_channel]
event = "Order"
latest = "channel"
type = "text"
[nps]
event = "Survey"
latest = "nps"
[happy]
event = "Survey"
latest = "happy"
type = "boolean"
[next_visit]
event = "Survey"
latest = "next"
type = "instant"
[channels]
event = "Order"
distinct = "channel"
[plan]
attribute = "plan"
[points]
attribute = "points"
type = "number"
[renews]
attribute = "renews"
type = "instant"
"""
Event = tuple[str, str, datetime, Mapping[str, Any]]


def definitions_of(text: str = FACTS) -> FactDefinitions:
    return read_definitions(parse_toml(text, "facts.toml"))


def add_customer(connection: Connection, customer_id: str, **values: Any) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "attributes": {}, **values}
    connection.execute(insert(customers), row)
    mark(connection, customer_id)


def add_event(
    connection: Connection, customer_id: str, event_id: str, name: str, time: datetime, **properties: Any
) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "event_id": event_id, "name": name}
    connection.execute(insert(events), {**row, "time": time, "properties": properties})
    mark(connection, customer_id)


def add_consent(connection: Connection, customer_id: str, number: int, topic: str, granted: bool) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "number": number, "topic": topic}
    told = {"channel": "email", "granted": granted, "basis": "test", "source": "test", "actor": "test"}
    connection.execute(insert(consents), {**row, **told, "recorded_at": NOW})


def mark(connection: Connection, customer_id: str) -> None:
    one = select(literal(shard_of(customer_id)).label("shard"), literal(customer_id, Key).label("customer_id"))
    touch(connection, one.subquery())


def without_keys(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in {"shard", "customer_id", "stale"}}


def stored(connection: Connection, definitions: FactDefinitions) -> dict[str, dict[str, Any]]:
    rows = connection.execute(select(facts_table(definitions))).mappings()
    return {row["customer_id"]: without_keys(dict(row)) for row in rows}


def rebuilt(connection: Connection, definitions: FactDefinitions, now: datetime) -> dict[str, dict[str, Any]]:
    everyone = connection.execute(select(customers.c.shard, customers.c.customer_id)).all()
    found = facts_of(connection, definitions, everyone, now, now.date())
    return {customer_id: without_keys(row) for (_, customer_id), row in found.items()}


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-1000, 1000),
    st.decimals(-1000, 1000, places=2).map(float),
    st.sampled_from(["EUR", "USD", "usd", "web", "shop", "L", "", "10", "żółw", "2026-01-05T10:00:00Z"]),
)
NAMES = ["amount", "currency", "channel", "gift", "size", "nps", "happy", "next"]
PROPERTIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=5)


def empty(connection: Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name not in {"installation", "audit_log"}:  # the log only grows, and facts write nothing there
            connection.execute(table.delete())
