"""Somebody followed the link to their preferences: whose they are, how they stand, and what was chosen."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from automation.customers.consent import CHANNELS, EVERY_TOPIC
from automation.customers.facts.compute import same_customer
from automation.customers.lookup import all_consents_of, suppressions_of
from automation.customers.preferences import Box, Form, save, ticked
from automation.database.schema import SHARDS, customers, messages
from automation.delivery.outcomes.unsubscribe import note_unsubscribed

PROFILE = ("shard", "customer_id", "email", "phone", "locale")


@dataclass(frozen=True)
class Preferences:
    """`customer` has shard, customer_id, email, phone and locale. `refused` tells by channel why its address is not
    written to.
    """

    customer: Row[Any]
    boxes: tuple[Box, ...]
    ticked: frozenset[Box]
    refused: Mapping[str, str]

    def address(self, channel: str) -> str | None:
        return address_of(self.customer, channel)


def find_recipient(connection: Connection, message_id: int) -> Row[Any] | None:
    """The customer of a message; None when they are not there, or have been erased."""
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = (
        select(*customers.c[*PROFILE])
        .select_from(messages.join(customers, same_customer(customers, messages)))
        .where(*mine, customers.c.erased_at.is_(None))
    )
    return connection.execute(found).one_or_none()


def preferences_of(connection: Connection, customer: Row[Any], boxes: tuple[Box, ...], now: datetime) -> Preferences:
    refused = {row.channel: row.reason for row in suppressions_of(connection, customer, now)}
    return Preferences(customer, boxes, ticked(all_consents_of(connection, customer), boxes), refused)


def boxes_of(customer: Row[Any], topics: Mapping[str, Collection[str]]) -> tuple[Box, ...]:
    """One for each channel on which there is an address, each followed by those of its topics."""
    channels = [channel for channel in CHANNELS if address_of(customer, channel)]
    return tuple(Box(one, topic) for one in channels for topic in (EVERY_TOPIC, *topics.get(one, ())))


def address_of(customer: Row[Any], channel: str) -> str | None:
    found: str | None = customer.email if channel == "email" else customer.phone
    return found


def choose(
    connection: Connection,
    message_id: int,
    customer: Row[Any],
    form: Form,
    offered: Mapping[Box, str],
    known: Collection[str],
    now: datetime,
) -> None:
    """What the customer of this message chose; a channel that is switched off is an unsubscribe by this message."""
    for choice in save(connection, customer, form, offered, known, now):
        if choice.box.topic == EVERY_TOPIC and not choice.granted and _was_sent_on(connection, message_id, choice.box):
            note_unsubscribed(connection, customer.shard, message_id, now)


def _was_sent_on(connection: Connection, message_id: int, box: Box) -> bool:
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    channel: str = connection.execute(select(messages.c.channel).where(*mine)).scalar_one()
    return channel == box.channel
