"""What deciding and sending need besides the rows: settings, the marketers' files, and this database's own key."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, or_, select

from automation.clock import zones_of
from automation.customers.profile import country_of
from automation.database.schema import installation
from automation.database.work import pauses
from automation.delivery.decide import Limits
from automation.delivery.tokens import Purpose, keys_of, make_token
from automation.lifecycle.conditions import Day
from automation.messages.render import Links
from automation.playbooks.load import Book
from automation.regions import region_of, window_in
from automation.settings import Settings


@dataclass(frozen=True)
class Desk:
    """Made once for a run or a dispatch; `identity` is this database's own random key."""

    settings: Settings
    book: Book
    identity: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def day(self, now: datetime) -> Day:
        return Day(now, self.settings.business.zone)

    def limits(self, channel: str, country: str | None, now: datetime) -> Limits:
        """What the shop allows, and what the customer's country does."""
        rules = self.settings.channel(channel)
        window = window_in(region_of(country, now.date()), channel, rules.window)
        return Limits(window, rules.max_per_day, rules.max_per_week)

    def zones(self, timezone: str | None, country: str | None, phone: str | None) -> tuple[ZoneInfo, ...]:
        """Where the customer may be: their zone, else those of their country or of their number's country."""
        if timezone is None and country is None and phone is not None:
            country = country_of(phone)
        return zones_of(timezone, country, self.settings.business.zone)

    def links(self, message_id: int) -> Links:
        root = self.settings.business.public_url.rstrip("/")
        leave, answer = self._token(message_id, "unsubscribe"), self._token(message_id, "survey")
        return Links(f"{root}/u/{leave}", f"{root}/p/{leave}", f"{root}/s/{answer}")

    def idempotency_key(self, words: str) -> str:
        """Derived from the message's own id, and different in every database."""
        return hmac.digest(self.identity.encode(), f"key:{words}".encode(), "sha256").hex()[:40]

    def _token(self, message_id: int, purpose: Purpose) -> str:
        return make_token(keys_of(self.settings, self.identity)[0], message_id, purpose)


def open_desk(connection: Connection, settings: Settings, book: Book) -> Desk:
    return Desk(settings, book, connection.execute(select(installation.c.key)).scalar_one())


def pauses_at(connection: Connection, book: Book, now: datetime, *, begun: bool = False) -> dict[str, datetime | None]:
    """Scopes that are paused, each with the end if there is one; a playbook with `active = false` is.

    Sending heeds every pause on record; `begun` leaves out those that began after `now`, for whoever looks back.
    """
    found = select(pauses.c.scope, pauses.c.until).where(or_(pauses.c.until.is_(None), pauses.c.until > now))
    if begun:
        found = found.where(pauses.c.since <= now)
    inactive: dict[str, datetime | None] = {
        f"playbook:{key}": None for key, playbook in book.playbooks.items() if not playbook.model.active
    }
    return inactive | dict(connection.execute(found).all())
