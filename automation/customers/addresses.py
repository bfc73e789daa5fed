"""What a person does about a customer's address: nothing is written to it any more, or it may be written to again."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from automation.customers.lookup import find_customer
from automation.customers.suppress import OWN_WISH, lift_suppression, suppress_address
from automation.database.audit import Act, note
from automation.database.schema import suppressions
from automation.errors import BadInput

BY_HAND, RETURNED, PERSON = "by_hand", "bounced_hard", "person"
REOPENED_BY_HAND = frozenset({BY_HAND, RETURNED})
CLOSE: dict[str, Act] = {"email": "close_email", "sms": "close_sms"}
REOPEN: dict[str, Act] = {"email": "reopen_email", "sms": "reopen_sms"}


def close_address(connection: Connection, customer_id: str, channel: str, by: str, words: str, now: datetime) -> None:
    """Heeded before the next post, by every kind of message. No new consent of the customer undoes it.

    Raises UnknownCustomer; BadInput when there is no address, or it is closed for good already.
    """
    customer = find_customer(connection, customer_id)
    address = address_of(customer, channel)
    closed = closed_for(connection, channel, address)
    if closed is not None and closed.reason not in OWN_WISH:
        raise BadInput(f"nothing is written there as it is: {closed.reason} since {closed.recorded_at:%Y-%m-%d}")
    suppress_address(connection, channel, address, BY_HAND, PERSON, now)
    note(connection, by, CLOSE[channel], f"customer:{customer_id}", words, now)


def reopen_address(
    connection: Connection, customer_id: str, channel: str, by: str, words: str, now: datetime, *, sure: bool = False
) -> str:
    """Undo what a person closed, or what a returned message did when somebody is `sure` that the address takes mail
    again. Gives the reason for which it was closed.

    What the customer wanted is undone by their new consent alone, and a complaint by nobody: another one counts
    against all that is sent. Raises UnknownCustomer, BadInput.
    """
    customer = find_customer(connection, customer_id)
    address = address_of(customer, channel)
    closed = closed_for(connection, channel, address)
    if closed is None:
        raise BadInput("the address is not closed; what stands against a message is told by the explanation")
    if closed.reason in OWN_WISH:
        raise BadInput("the customer closed it themselves; record their new consent, with its wording")
    if closed.reason not in REOPENED_BY_HAND:
        raise BadInput(f"an address stays closed after {closed.reason}; ask the customer for another one")
    if closed.reason == RETURNED and not sure:
        raise BadInput("messages came back from there; make sure that the address takes them now, and say so")
    lift_suppression(connection, channel, address, REOPENED_BY_HAND, now)
    note(connection, by, REOPEN[channel], f"customer:{customer_id}", words, now)
    return str(closed.reason)


def address_of(customer: Row[Any], channel: str) -> str:
    """Raises BadInput when there is none."""
    address: str | None = customer.email if channel == "email" else customer.phone
    if address is None:
        raise BadInput(f"we have no address of theirs for {channel}; there is nothing to close or to reopen")
    return address


def closed_for(connection: Connection, channel: str, address: str) -> Row[Any] | None:
    """The record for which nothing is written there."""
    mine = (suppressions.c.channel == channel, suppressions.c.address == address)
    return connection.execute(select(suppressions).where(*mine).with_for_update()).one_or_none()
