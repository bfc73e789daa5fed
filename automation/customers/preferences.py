"""What a customer wants to get, as a page shows it and as they change it: channel by channel, topic by topic."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from automation.customers.consent import EVERY_TOPIC, lock_customer, record_consent
from automation.customers.lookup import agreed_to_some, all_consents_of, deciding

PAGE = "page"
DAY, MOST_A_DAY = timedelta(days=1), 50


class TooOften(Exception):
    """Somebody plays with the link to their preferences."""


class Box(NamedTuple):
    """Something that can be ticked; "*" is the channel as a whole."""

    channel: str
    topic: str = EVERY_TOPIC


class Form(NamedTuple):
    """What came back: which boxes were ticked when it was shown, and which are now."""

    was: frozenset[Box]
    now: frozenset[Box]


class Choice(NamedTuple):
    """A yes with the words that were agreed to, or a no."""

    box: Box
    granted: bool
    wording: str = ""


def ticked(recorded: Sequence[Row[Any]], boxes: Iterable[Box]) -> frozenset[Box]:
    """The boxes that stand for something the customer agreed to; a channel's does when any topic of it is."""
    return frozenset(box for box in boxes if _stands(recorded, box))


def _stands(recorded: Sequence[Row[Any]], box: Box) -> bool:
    if box.topic == EVERY_TOPIC:
        return agreed_to_some(recorded, box.channel)
    record = deciding(recorded, box.channel, box.topic)
    return record is not None and record.granted


def chosen(form: Form, offered: Collection[Box]) -> Iterator[tuple[Box, bool]]:
    """What the customer changed. A box that was not shown, or was left as it was, says nothing.

    A channel that is unticked is off with all its topics, whatever is left ticked below it. One that is ticked is on
    with all its topics, unless some and not all of them are ticked: then it is those.
    """
    on, off = form.now - form.was, form.was - form.now
    for channel in sorted({box.channel for box in on | off}):
        whole = Box(channel)
        topics = {box for box in offered if box.channel == channel and box != whole}
        ticked_topics = topics & form.now
        if whole in off:
            yield whole, False
        elif whole in on and ticked_topics in (set(), topics):
            yield whole, True
        else:
            mine = (box for box in sorted(on | off) if box.channel == channel and box != whole)
            yield from ((box, box in on) for box in mine)


def save(
    connection: Connection,
    customer: Row[Any],
    form: Form,
    offered: Mapping[Box, str],
    known: Collection[str],
    now: datetime,
) -> list[Choice]:
    """Write down what changes anything, in the order in which it counts. Returns that.

    `offered` are the boxes on the page as it is now, with their wording: nothing else can be agreed to. A no counts
    for every topic in `known` or on record, because the page that was answered may be an old one. Raises TooOften for
    another yes from somebody who has said so many today; a no always counts.
    """
    lock_customer(connection, customer.shard, customer.customer_id)
    recorded = all_consents_of(connection, customer)
    topics = {EVERY_TOPIC, *known, *(row.topic for row in recorded)}
    choices = [
        Choice(box, granted, offered.get(box, ""))
        for box, granted in chosen(form, offered)
        if (box in offered if granted else box.topic in topics) and _changes(recorded, box, granted, offered)
    ]
    if any(one.granted for one in choices) and _often(recorded, now):
        raise TooOften
    for choice in choices:
        _record(connection, customer, choice, now)
    return choices


def _often(recorded: Sequence[Row[Any]], now: datetime) -> bool:
    """Whoever has the link could fill the ledger, a yes and a no at a time."""
    today = (one for one in recorded if one.source == PAGE and one.granted and one.recorded_at > now - DAY)
    return sum(1 for _ in today) >= MOST_A_DAY


def _changes(recorded: Sequence[Row[Any]], box: Box, granted: bool, offered: Collection[Box]) -> bool:
    """Not when it is so already: a second click says nothing new."""
    if box.topic == EVERY_TOPIC and granted:
        return any(not _stands(recorded, one) for one in offered if one.channel == box.channel)
    return _stands(recorded, box) != granted


def _record(connection: Connection, customer: Row[Any], choice: Choice, now: datetime) -> None:
    record_consent(
        connection,
        customer.shard,
        customer.customer_id,
        now,
        channel=choice.box.channel,
        topic=choice.box.topic,
        granted=choice.granted,
        basis=PAGE if choice.granted else "withdrawn",
        wording=choice.wording if choice.granted else None,
        source=PAGE,
        actor="customer",
    )
