"""The simulated customers: where they live and what they agreed to, as the world knows it and not as the tables say."""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

BUSINESS = "Europe/Rome"
# What an import tells of somebody's whereabouts, and every zone they may be in.
PLACES: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
    ({"timezone": "Europe/Rome", "country": "IT"}, ("Europe/Rome",)),
    ({"timezone": "Europe/Rome"}, ("Europe/Rome",)),
    ({"timezone": "America/New_York"}, ("America/New_York",)),
    ({"timezone": "America/St_Johns"}, ("America/St_Johns",)),
    ({"timezone": "Pacific/Apia"}, ("Pacific/Apia",)),
    ({"timezone": "Pacific/Chatham"}, ("Pacific/Chatham",)),
    ({"timezone": "Australia/Lord_Howe"}, ("Australia/Lord_Howe",)),
    ({"timezone": "Asia/Kathmandu"}, ("Asia/Kathmandu",)),
    ({"timezone": "Africa/Casablanca"}, ("Africa/Casablanca",)),
    ({"timezone": "Asia/Tokyo"}, ("Asia/Tokyo",)),
    ({"timezone": "America/Sao_Paulo", "country": "PT"}, ("America/Sao_Paulo",)),
    ({"country": "PT"}, ("Europe/Lisbon", "Atlantic/Azores", "Atlantic/Madeira")),
    ({"country": "NZ"}, ("Pacific/Auckland", "Pacific/Chatham")),
    ({"country": "IN"}, ("Asia/Kolkata",)),
    ({"phone": "+6421{number:07d}"}, ("Pacific/Auckland", "Pacific/Chatham")),
    ({"phone": "+9198{number:08d}"}, ("Asia/Kolkata",)),
)
# Numbers that Twilio refuses: one that is no number, one that opted out, one without a route.
REFUSED_NUMBERS = ("+15005550001", "+15005550004", "+15005550002")


@dataclass
class Person:
    """Lists begin with the oldest; each entry says from which place in the order of everything on it counts.

    `by_number`: only the country of their number tells where they live.
    """

    customer_id: str
    by_number: bool = False
    zones: list[tuple[int, tuple[ZoneInfo, ...]]] = field(default_factory=list)
    said: list[tuple[int, str, str, bool]] = field(default_factory=list)
    erased: int | None = None
    has_moved: bool = False

    def zones_at(self, order: int) -> tuple[ZoneInfo, ...]:
        return [zones for since, zones in self.zones if since <= order][-1]

    def agrees(self, order: int, channel: str, topic: str) -> bool:
        said = (
            yes
            for since, of, about, yes in reversed(self.said)
            if since <= order and of == channel and about in {topic, "*"}
        )
        return next(said, False)

    def stands(self, channel: str) -> bool:
        """Whether an import's "no" has anything to withdraw."""
        topics: dict[str, bool] = {}
        for _, of, topic, yes in self.said:
            if of == channel:
                topics = {**topics, topic: yes} if topic != "*" or yes else {}
        return any(topics.values())


def newcomer(number: int, chance: Random, now: datetime) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A row for an import, and the zones they may be in."""
    place, zones = chance.choice(PLACES)
    row: dict[str, Any] = {"customer_id": f"c{number}", "signup_at": now.isoformat()}
    row |= {name: text.format(number=number) for name, text in place.items()}
    row.setdefault("phone", f"+3934{number:08d}")
    if "timezone" not in row and "country" not in row and row["phone"].startswith("+39"):
        zones = ("Europe/Rome",)
    if chance.random() < 0.06:
        row["phone"] = chance.choice(REFUSED_NUMBERS)
        row |= {"timezone": BUSINESS}
        zones = (BUSINESS,)
    if chance.random() < 0.95:
        row["email"] = f"inactive@{number}.example.com" if chance.random() < 0.05 else f"c{number}@example.com"
    if chance.random() < 0.7:
        row["first_name"] = f"Name{number}"
    for channel in ("email", "sms"):
        if chance.random() < 0.9:
            row[f"{channel}_consent"] = chance.random() < 0.9
    return row, zones
