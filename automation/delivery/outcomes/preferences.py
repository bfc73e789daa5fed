"""Somebody followed the link to their preferences: whose they are, how they stand, and what was chosen.

A yes to email undoes the customer's own stop, as it does when they tell a person: for the address that the link was
sent to, because whoever has the link reads its mail. A STOP by text is undone by START alone, which the provider has to
hear too. A bounce and a complaint stay: then a choice counts as soon as there is another address.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from automation.customers.consent import CHANNELS, EVERY_TOPIC
from automation.customers.facts.compute import same_customer
from automation.customers.lookup import all_consents_of, suppressions_of
from automation.customers.preferences import Box, Form, save, ticked
from automation.customers.suppress import OWN_WISH, lift_suppression
from automation.database.schema import SHARDS, customers, messages
from automation.delivery.outcomes.unsubscribe import note_unsubscribed

PROFILE = ("shard", "customer_id", "email", "phone", "locale")
Refusal = Literal["returned", "complained", "stopped", "stopped_by_text"]


@dataclass(frozen=True)
class Preferences:
    """`refused` tells by channel why its address is not written to, for which a yes is no remedy but to `stopped`."""

    recipient: Row[Any]
    boxes: tuple[Box, ...]
    ticked: frozenset[Box]
    refused: Mapping[str, Refusal]

    def address(self, channel: str) -> str | None:
        return address_of(self.recipient, channel)


def find_recipient(connection: Connection, message_id: int) -> Row[Any] | None:
    """Of a message: its customer (shard, customer_id, email, phone, locale) and where it went (message_id, channel,
    address). None when there is no such customer, or they have been erased.
    """
    mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
    found = (
        select(*customers.c[*PROFILE], *messages.c["message_id", "channel", "address"])
        .select_from(messages.join(customers, same_customer(customers, messages)))
        .where(*mine, customers.c.erased_at.is_(None))
    )
    return connection.execute(found).one_or_none()


def preferences_of(connection: Connection, recipient: Row[Any], boxes: tuple[Box, ...], now: datetime) -> Preferences:
    refused = {row.channel: _refusal(recipient, row) for row in suppressions_of(connection, recipient, now)}
    return Preferences(recipient, boxes, ticked(all_consents_of(connection, recipient), boxes), refused)


def _refusal(recipient: Row[Any], suppression: Row[Any]) -> Refusal:
    if suppression.reason == "bounced_hard":
        return "returned"
    if suppression.reason not in OWN_WISH:
        return "complained"
    if suppression.channel == "sms":
        return "stopped_by_text"
    return "stopped" if _went_to_the_same(recipient) else "complained"


def _went_to_the_same(recipient: Row[Any]) -> bool:
    """Whether the link was in a mail to the address that the customer has today."""
    return bool(recipient.channel == "email" and recipient.address == recipient.email)


def _went_to_another(recipient: Row[Any]) -> bool:
    """Whether the customer has another address or number today than the link was sent to."""
    return recipient.address not in {None, address_of(recipient, recipient.channel)}


def boxes_of(recipient: Row[Any], topics: Mapping[str, Collection[str]]) -> tuple[Box, ...]:
    """One for each channel on which there is an address, each followed by those of its topics."""
    channels = [channel for channel in CHANNELS if address_of(recipient, channel)]
    return tuple(Box(one, topic) for one in channels for topic in (EVERY_TOPIC, *topics.get(one, ())))


def address_of(recipient: Row[Any], channel: str) -> str | None:
    found: str | None = recipient.email if channel == "email" else recipient.phone
    return found


def choose(
    connection: Connection,
    recipient: Row[Any],
    form: Form,
    offered: Mapping[Box, str],
    known: Collection[str],
    now: datetime,
) -> None:
    """Write down what they chose. A channel that is switched off is an unsubscribe by the message that came on it.

    Whoever reads what went to an address of before can refuse, and agree to nothing: they may be somebody else.
    """
    for choice in save(connection, recipient, form, {} if _went_to_another(recipient) else offered, known, now):
        if choice.granted and choice.box.channel == "email" and _went_to_the_same(recipient):
            lift_suppression(connection, "email", recipient.email, OWN_WISH, now)
        if not choice.granted and choice.box == Box(recipient.channel):
            note_unsubscribed(connection, recipient.shard, recipient.message_id, now)
