"""What providers tell is taken over: each event once, in any order, and what it teaches is kept.

Everything here may be done twice: an event that is there stays as it is, an address is suppressed once, and a consent
is withdrawn where it stands.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Row, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import lock_customers
from automation.customers.suppress import STOPPED, suppress_address, withdraw_consent
from automation.database.hooks import hook_events
from automation.database.schema import SHARDS, attempts, messages, outcomes
from automation.database.temporary import empty, temporary
from automation.database.types import Key
from automation.delivery.hooks import Event, Outcome
from automation.delivery.hooks.reading import number_of, short
from automation.delivery.outcomes.evidence import ask_about, note_taken, told_ids
from automation.delivery.outcomes.people import people_at
from automation.delivery.outcomes.texts import stop

AT_ONCE = 500
LATE = timedelta(hours=1)  # an answer that is not written down by then will never be
told_keys = temporary("told_keys", Column("event_key", Key, primary_key=True), expected="500 1")
told_names = temporary("told_names", Column("provider_id", Key, primary_key=True), expected="500 1")
FOUND = ("shard", "message_id", "customer_id", "channel", "status", "address", "provider_id", "first_used_at")
SUPPRESS = frozenset({"bounced_hard", "complained", "unsubscribed"})


@dataclass(frozen=True)
class Taken:
    """How many events were new, and how many of those belong to a message."""

    new: int = 0
    matched: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.new + other.new, self.matched + other.matched)


def take(connection: Connection, provider: str, events: Sequence[Event], now: datetime, channel: str) -> Taken:
    """Events of one provider, named as in the configuration."""
    total = Taken()
    for start in range(0, len(events), AT_ONCE):
        total += _take(connection, provider, events[start : start + AT_ONCE], now, channel)
    return total


def _take(connection: Connection, provider: str, events: Sequence[Event], now: datetime, channel: str) -> Taken:
    new = _new(connection, provider, [replace(event, key=short(event.key)) for event in events])
    if not new:
        return Taken()
    owners = _owners(connection, provider, new)
    rows = [_row(provider, event, owners.get(event.key), now) for event in new]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    added = dialect.insert(hook_events).on_conflict_do_nothing().returning(hook_events.c.event_key)
    ours = set(connection.execute(added, rows).scalars())  # another process may have been told the same
    new = [event for event in new if event.key in ours]
    matched = [(event, owners[event.key]) for event in new if event.key in owners]
    apply(connection, provider, matched, now)
    for event in new:
        of_no_message = event.message_id is None and event.provider_id is None
        if of_no_message and event.outcome in SUPPRESS and event.recipient:
            _close(connection, provider, channel, event.recipient, event.outcome, now)
    return Taken(len(new), len(matched))


def _close(
    connection: Connection, provider: str, channel: str, recipient: str, outcome: Outcome, now: datetime
) -> None:
    """What is told of an address, and of no message: somebody wrote to the vendor, or closed it there by hand."""
    if channel == "email":
        suppress_address(connection, channel, recipient.lower(), outcome, provider, now)
        return
    number = number_of(recipient) or recipient
    if outcome == STOPPED:
        stop(connection, provider, number, people_at(connection, number), now)
    else:
        suppress_address(connection, channel, number, outcome, provider, now)


def match_late(connection: Connection, provider: str, now: datetime) -> int:
    """Events that came before their message's id was written down. Returns how many belong to one now."""
    lost = (hook_events.c.message_id.is_(None), hook_events.c.provider_id.is_not(None))
    known = exists().where(messages.c.provider_id == hook_events.c.provider_id, messages.c.provider_id.is_not(None))
    rows = select(hook_events).where(*lost, hook_events.c.provider == provider, hook_events.c.received_at > now - LATE)
    rows = rows.where(known)
    events = [_event(row) for row in connection.execute(rows.order_by(hook_events.c.received_at).limit(AT_ONCE))]
    owners = _owners(connection, provider, events)
    matched = [(event, owners[event.key]) for event in events if event.key in owners]
    for event, row in matched:
        mine = (hook_events.c.provider == provider, hook_events.c.event_key == event.key)
        found = {"shard": row.shard, "message_id": row.message_id, "recipient": None}
        connection.execute(update(hook_events).where(*mine).values(found))
    apply(connection, provider, matched, now)
    return len(matched)


def _event(row: Row[Any]) -> Event:
    at = row.happened_at
    return Event(row.event_key, row.outcome, row.name, at, None, row.provider_id, row.recipient, row.detail or "")


def _new(connection: Connection, provider: str, events: Iterable[Event]) -> list[Event]:
    """Those that nobody has told yet; of several with one key the first."""
    by_key: dict[str, Event] = {}
    for event in events:
        by_key.setdefault(event.key, event)
    empty(connection, told_keys)
    connection.execute(insert(told_keys), [{"event_key": key} for key in by_key])
    known = select(hook_events.c.event_key).join(told_keys, told_keys.c.event_key == hook_events.c.event_key)
    there = set(connection.execute(known.where(hook_events.c.provider == provider)).scalars())
    return [event for key, event in by_key.items() if key not in there]


def _owners(connection: Connection, provider: str, events: Sequence[Event]) -> dict[str, Row[Any]]:
    """The message of each event that has one: by our own id, else by the provider's and the recipient.

    Our id alone is not enough: another database behind the same account counts its messages from one too.
    """
    ours = {one.message_id for one in events if one.message_id is not None}
    theirs = {one.provider_id for one in events if one.message_id is None and one.provider_id is not None}
    by_id = {row.message_id: row for row in _by_ids(connection, provider, ours)}
    by_name: dict[str, list[Row[Any]]] = {}
    for row in _by_names(connection, provider, theirs):
        by_name.setdefault(row.provider_id, []).append(row)
    found: dict[str, Row[Any]] = {}
    for event in events:
        of_id = by_id.get(event.message_id) if event.message_id is not None else None
        candidates = [of_id] if of_id is not None else by_name.get(event.provider_id or "", [])
        fitting = [row for row in candidates if _is_to(row, event)]
        if len(fitting) == 1:
            found[event.key] = fitting[0]
    return found


def _by_ids(connection: Connection, provider: str, ids: Iterable[int]) -> Sequence[Row[Any]]:
    keys = [(one % SHARDS, one) for one in ids]
    if not keys:
        return ()
    ask_about(connection, keys)
    mine = (messages.c.shard == told_ids.c.shard) & (messages.c.message_id == told_ids.c.message_id)
    rows = select(*messages.c[*FOUND]).select_from(told_ids).join(messages, mine)
    # Another provider may have taken over in the meantime.
    tried = exists().where(
        attempts.c.shard == messages.c.shard,
        attempts.c.message_id == messages.c.message_id,
        attempts.c.provider == provider,
    )
    return connection.execute(rows.where(or_(messages.c.provider == provider, tried))).all()


def _by_names(connection: Connection, provider: str, names: Iterable[str]) -> Sequence[Row[Any]]:
    keys = [{"provider_id": one} for one in names]
    if not keys:
        return ()
    empty(connection, told_names)
    connection.execute(insert(told_names), keys)
    mine = (messages.c.provider_id == told_names.c.provider_id) & messages.c.provider_id.is_not(None)
    rows = select(*messages.c[*FOUND]).select_from(told_names).join(messages, mine)
    return connection.execute(rows.where(messages.c.provider == provider)).all()


def _is_to(row: Row[Any], event: Event) -> bool:
    """Numbers come with or without their plus sign."""
    if event.recipient is None or row.address is None:
        return True
    return bool(event.recipient.lstrip("+").casefold() == row.address.lstrip("+").casefold())


def _row(provider: str, event: Event, owner: Row[Any] | None, now: datetime) -> dict[str, Any]:
    return {
        "provider": provider,
        "event_key": event.key,
        "name": event.name,
        "outcome": event.outcome,
        "happened_at": event.happened_at or now,
        "received_at": now,
        "detail": event.detail or None,
        "shard": None if owner is None else owner.shard,
        "message_id": None if owner is None else owner.message_id,
        "provider_id": event.provider_id,
        "recipient": event.recipient if owner is None else None,
    }


def apply(connection: Connection, provider: str, matched: Sequence[tuple[Event, Row[Any]]], now: datetime) -> None:
    """What events mean for their messages, addresses and customers."""
    told = [(event, row) for event, row in matched if event.outcome != "info"]
    if told:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        rows = [_outcome(provider, event, row, now) for event, row in told]
        connection.execute(dialect.insert(outcomes).on_conflict_do_nothing(), rows)
    note_taken(connection, {(row.shard, row.message_id) for _, row in matched if row.status == "unknown"}, now)
    lessons = [(event, row) for event, row in told if event.outcome in SUPPRESS and row.address is not None]
    lock_customers(connection, ((row.shard, row.customer_id) for _, row in lessons))
    for event, row in lessons:
        _learn(connection, provider, event, row, now)


def _outcome(provider: str, event: Event, row: Row[Any], now: datetime) -> dict[str, Any]:
    return {
        "shard": row.shard,
        "message_id": row.message_id,
        "provider": provider,
        "event_key": event.key,
        "outcome": event.outcome,
        "happened_at": event.happened_at or now,
        "received_at": now,
        "detail": event.detail or None,
    }


def _learn(connection: Connection, provider: str, event: Event, row: Row[Any], now: datetime) -> None:
    """A bounce and a complaint bind to the address, an unsubscribe to the person as well."""
    if event.outcome == "unsubscribed":
        withdraw_consent(connection, row.shard, row.customer_id, row.channel, provider, "provider", now)
    suppress_address(connection, row.channel, row.address, event.outcome, provider, now)
