"""Texts that people send to us. Whoever writes STOP gets no more texts, whatever the provider does about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import record_consent
from automation.customers.facts.touch import touch_one
from automation.customers.profile import country_of
from automation.customers.suppress import (
    OWN_WISH,
    STOPPED,
    SUSPECTED,
    lift_suppression,
    suppress_address,
    withdraw_consent,
)
from automation.database.hooks import inbound_texts
from automation.database.schema import TEXTS, customers, messages
from automation.delivery.hooks import InboundText
from automation.delivery.hooks.reading import short
from automation.regions import meaning_of
from automation.settings import Settings

MOST = 20  # customers that share a number
ANSWERED_BY_VENDORS = frozenset({"US", "CA"})


def hear(connection: Connection, settings: Settings, provider: str, text: InboundText, now: datetime) -> None:
    """Once for each text; a second time nothing happens."""
    number = _number(text.sender)
    people = people_at(connection, number)
    locales = [settings.business.locale, *(one.locale for one in people if one.locale)]
    meaning = text.word or meaning_of(text.text, locales, yes_starts=settings.sms.yes_is_start)
    row = {
        "provider": provider,
        "text_key": short(text.key),
        "sender": number,
        "recipient": text.recipient,
        "text": text.text,
        "meaning": meaning,
        "happened_at": text.happened_at or now,
        "received_at": now,
        "shard": people[0].shard if people else None,
        "customer_id": people[0].customer_id if people else None,
        "answered_at": now if text.word or _vendor_answers(settings, provider, number) else None,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    if connection.execute(dialect.insert(inbound_texts).values(row).on_conflict_do_nothing()).rowcount == 0:
        return
    if meaning == "stop":
        stop(connection, provider, number, people, now)
    elif meaning == "start":
        _start(connection, provider, number, text.text, people, now)
    elif meaning == "suspected":
        suppress_address(connection, "sms", number, SUSPECTED, provider, now)
        _touch(connection, people)


def people_at(connection: Connection, number: str) -> Sequence[Row[Any]]:
    """(shard, customer_id, locale) of those to whom we wrote at this number, the latest first."""
    same = and_(customers.c.shard == messages.c.shard, customers.c.customer_id == messages.c.customer_id)
    rows = (
        select(customers.c.shard, customers.c.customer_id, customers.c.locale)
        .join_from(messages, customers, same)
        .where(TEXTS, messages.c.address == number, customers.c.erased_at.is_(None))
        .group_by(customers.c.shard, customers.c.customer_id, customers.c.locale)
        .order_by(func.max(messages.c.first_used_at).desc())
        .limit(MOST)
    )
    return list(connection.execute(rows))


def stop(connection: Connection, provider: str, number: str, people: Sequence[Row[Any]], now: datetime) -> None:
    """The number, and everybody whom we wrote to at it."""
    lift_suppression(connection, "sms", number, [SUSPECTED])  # its reason is known now
    suppress_address(connection, "sms", number, STOPPED, provider, now)
    for one in people:
        withdraw_consent(connection, one.shard, one.customer_id, "sms", provider, "customer", now)


def keep(connection: Connection, number: str, people: Sequence[Row[Any]]) -> None:
    """It was no stop: what was done on suspicion is undone."""
    if lift_suppression(connection, "sms", number, [SUSPECTED]):
        _touch(connection, people)


def _start(
    connection: Connection, provider: str, number: str, text: str, people: Sequence[Row[Any]], now: datetime
) -> None:
    """A new consent, by the customer's own word. A number that bounced or complained stays where it is."""
    lift_suppression(connection, "sms", number, OWN_WISH)
    said: dict[str, Any] = {"channel": "sms", "granted": True, "basis": "text", "wording": text}
    for one in people:
        record_consent(connection, one.shard, one.customer_id, now, **said, source=provider, actor="customer")


def _touch(connection: Connection, people: Sequence[Row[Any]]) -> None:
    for one in people:
        touch_one(connection, one.shard, one.customer_id)


def _vendor_answers(settings: Settings, provider: str, number: str) -> bool:
    told = settings.providers[provider].answers_help if provider in settings.providers else True
    return country_of(number) in ANSWERED_BY_VENDORS if told is None else told


def _number(sender: str) -> str:
    """Vendors write it with or without its plus sign."""
    return sender if sender.startswith("+") else f"+{sender}"
