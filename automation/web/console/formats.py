"""How values look on a page, and where the page of something is."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

DATE, TIME = "%Y-%m-%d", "%H:%M"


def count(number: float | None) -> str:
    """12,345"""
    return "" if number is None else f"{number:,}"


def share(part: float | None) -> str:
    """0.25 is 25 %, 0.1234 is 12.3 %."""
    if part is None:
        return ""
    return f"{part * 100:.1f}".removesuffix(".0") + " %"


def instant(moment: datetime | None, zone: ZoneInfo) -> Markup:
    """In the business zone; with UTC for whoever points at it."""
    if moment is None:
        return Markup()
    local = moment.astimezone(zone)
    told = (moment.isoformat(timespec="seconds"), moment.strftime(f"{DATE} {TIME}:%S UTC"))
    return Markup('<time datetime="{}" title="{}">{}</time>').format(*told, local.strftime(f"{DATE} {TIME}"))


def moment(text: str) -> datetime:
    """An instant that came as text."""
    return datetime.fromisoformat(text)


def day(one: date | None) -> Markup:
    return Markup() if one is None else Markup('<time datetime="{0}">{0}</time>').format(one.isoformat())


def span(seconds: float | None) -> str:
    """1.2 s, 3 min, 2 h 5 min, 4 days."""
    if seconds is None:
        return ""
    minutes, hours = round(seconds / 60), int(seconds // 3600)
    if seconds < 60:  # noqa: PLR2004 (a minute)
        return f"{seconds:.1f} s".replace(".0 s", " s")
    if hours < 1:
        return f"{minutes} min"
    if hours < 48:  # noqa: PLR2004 (two days)
        rest = minutes - 60 * hours
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days"


def value(one: Any) -> str:
    """A fact or a property."""
    if one is None:
        return "–"
    if isinstance(one, bool):
        return "yes" if one else "no"
    if isinstance(one, int | Decimal):
        return f"{one:,}"
    return str(one)


def customer_url(customer_id: str) -> str:
    """An id may hold any character, so it is no part of the path."""
    return "/customer?" + urlencode({"id": customer_id})


def message_url(message_id: int) -> str:
    return f"/messages/{message_id}"


def playbook_url(key: str) -> str:
    return f"/playbooks/{quote(key, safe='')}"


def about_url(about: str) -> str | None:
    """The page of what the audit log or an incident is about."""
    kind, colon, key = about.partition(":")
    if not colon:
        return None
    if kind == "message":
        return f"/messages/{key}"
    pages = {"customer": customer_url, "playbook": playbook_url}
    return pages[kind](key) if kind in pages else None
