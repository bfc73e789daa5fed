"""On which channels a customer can be written to, and what stands against it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from automation.customers.consent import EVERY_TOPIC
from automation.customers.lookup import agreed_to_some
from automation.delivery.answers.past import CHANNELS, Past
from automation.delivery.desk import pauses_at
from automation.reasons import Reason


@dataclass(frozen=True)
class Way:
    """A channel to a customer: `against` says why marketing does not go there, None when it may.

    `topics`: the record that decides on each, None where nothing is on record; the first is all of the channel.
    `paused_until` is the end of the pause, if it is one and has one.
    """

    channel: str
    address: str | None
    against: Reason | None
    closed: Row[Any] | None
    topics: Mapping[str, Row[Any] | None]
    paused_until: datetime | None = None


def ways_to(past: Past, topics: Mapping[str, Sequence[str]]) -> list[Way]:
    """Of each channel, as of the instant; `topics` are those that the channel's marketing has."""
    pauses = pauses_at(past.connection, past.desk.book, past.now)
    return [_way(past, channel, topics.get(channel, ()), pauses) for channel in CHANNELS]


def _way(past: Past, channel: str, topics: Sequence[str], pauses: Mapping[str, datetime | None]) -> Way:
    address, closed = past.address(channel), past.suppression(channel, past.now)
    scopes = {"everything": Reason.EVERYTHING_PAUSED, f"customer:{past.customer_id}": Reason.CUSTOMER_PAUSED}
    paused = next((scope for scope in scopes if scope in pauses), None)
    erased = past.customer.erased_at is not None and past.customer.erased_at <= past.now
    rules = (
        (erased, Reason.ERASED),
        (closed is not None, Reason.SUPPRESSED_ADDRESS),
        (address is None, Reason.NO_ADDRESS),
        (not agreed_to_some(past.consents, channel), Reason.NO_CONSENT),
        (paused is not None, scopes.get(paused or "")),
    )
    known = (EVERY_TOPIC, *topics, *_on_record(past, channel))
    return Way(
        channel,
        address,
        against=next((reason for stands, reason in rules if stands), None),
        closed=closed,
        topics={topic: past.consent(channel, topic, past.now) for topic in dict.fromkeys(known)},
        paused_until=pauses[paused] if paused else None,
    )


def _on_record(past: Past, channel: str) -> Sequence[str]:
    return sorted({row.topic for row in past.consents if row.channel == channel})
