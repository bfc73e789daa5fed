"""Texts that people send to us. Whoever writes STOP gets no more texts, whatever the provider does about it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.consent import lock_customers, record_consent
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
from automation.database.schema import consents
from automation.delivery.hooks import InboundText
from automation.delivery.hooks.reading import number_of, short
from automation.delivery.outcomes.people import Person, people_at
from automation.regions import meaning_of
from automation.settings import Settings

ANSWERED_BY_VENDORS = frozenset({"US", "CA"})


def hear(connection: Connection, settings: Settings, provider: str, text: InboundText, now: datetime) -> None:
    """Once for each text; a second time nothing happens."""
    number = number_of(text.sender) or text.sender
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
        _start(connection, settings, provider, number, text, people, now)
    elif meaning == "suspected":
        suppress_address(connection, "sms", number, SUSPECTED, provider, now)


def stop(connection: Connection, provider: str, number: str, people: Sequence[Person], now: datetime) -> None:
    """The number, everybody whose it is, and everybody to whom we wrote at it."""
    lock_customers(connection, (one.key for one in people))
    lift_suppression(connection, "sms", number, [SUSPECTED], now)  # its reason is known now
    suppress_address(connection, "sms", number, STOPPED, provider, now)
    for one in people:
        withdraw_consent(connection, *one.key, "sms", provider, "customer", now)


def _start(
    connection: Connection,
    settings: Settings,
    provider: str,
    number: str,
    text: InboundText,
    people: Sequence[Person],
    now: datetime,
) -> None:
    """A new consent, by the customer's own word. A number that bounced or complained stays where it is, and so does one
    that was stopped after this START was written.
    """
    if _stopped_since(connection, number, text.happened_at):
        return
    theirs = [one for one in people if one.has_it]
    lock_customers(connection, (one.key for one in theirs))
    lift_suppression(connection, "sms", number, OWN_WISH, now)
    said: dict[str, Any] = {"channel": "sms", "granted": True, "basis": "text", "wording": text.text}
    for one in theirs:
        if len(theirs) == 1 or _stopped_by_text(connection, settings, one):
            record_consent(connection, *one.key, now, **said, source=provider, actor="customer")


def _stopped_since(connection: Connection, number: str, happened_at: datetime | None) -> bool:
    """Texts may come late, and in another order."""
    if happened_at is None:
        return False
    stops = (inbound_texts.c.meaning.in_(["stop", "suspected"]), inbound_texts.c.happened_at > happened_at)
    found = select(inbound_texts.c.number).where(inbound_texts.c.sender == number, *stops)
    return connection.execute(found.limit(1)).first() is not None


def _stopped_by_text(connection: Connection, settings: Settings, one: Person) -> bool:
    """Where several have one number, a START undoes what a STOP did, and not what one of them said in another way."""
    mine = (consents.c.shard == one.shard, consents.c.customer_id == one.customer_id, consents.c.channel == "sms")
    newest = select(consents.c.granted, consents.c.source).where(*mine).order_by(consents.c.number.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return row is not None and not row.granted and row.source in settings.providers


def _vendor_answers(settings: Settings, provider: str, number: str) -> bool:
    told = settings.providers[provider].answers_help if provider in settings.providers else True
    return country_of(number) in ANSWERED_BY_VENDORS if told is None else told
