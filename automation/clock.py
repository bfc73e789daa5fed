"""The only time-zone arithmetic: local days, windows and their next opening.

Instants are aware and in UTC, here as everywhere; a wall time is naive and means nothing without its zone. A wall time
that a clock change skips is read as the first instant after the gap, one that comes twice as its first occurrence.
"""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from automation.values import Window

DAY = timedelta(days=1)
# Windows that have not met for a week will not: the zones are too far apart.
HORIZON = timedelta(days=8)


def wall_clock() -> datetime:
    """The one place that reads the clock."""
    return datetime.now(UTC)


def local_date(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date()


def local_text(instant: datetime, zone: ZoneInfo) -> str:
    """`2026-01-31 10:00 CET`: an instant as people in the zone read it."""
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def days_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> int:
    """Calendar days: a minute over midnight is one day, and so are the 23 hours of a spring day."""
    return (local_date(later, zone) - local_date(earlier, zone)).days


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the local day, or of the next one when the zone skipped this one."""
    return to_utc(datetime.combine(day, time.min), zone)


def local_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """First instant and exclusive end of the local day; None when the zone skipped it, as Apia did 2011-12-30.

    Days adjoin. Where clocks went back over midnight (St. John's until 2011), the minutes of the old day
    that came again belong to the new one.
    """
    start, end = day_start(day, zone), day_start(day + DAY, zone)
    return (start, end) if start < end else None


def latest_run_date(now: datetime, zone: ZoneInfo, at: time) -> date:
    """The newest local date whose wall time `at` has been reached; a skipped date never is."""
    day = local_date(now, zone) + DAY
    while to_utc(datetime.combine(day, at), zone) > now or local_day(day, zone) is None:
        day -= DAY
    return day


def preferred(now: datetime, at: time | None, window: Window, zones: Sequence[ZoneInfo]) -> datetime | None:
    """The next time it is `at` o'clock in the first zone, moved into the window; without `at`, the next opening."""
    return next_opening(_next_occurrence(now, at, zones[0]) if at else now, window, zones)


def is_open(now: datetime, window: Window, zones: Sequence[ZoneInfo]) -> bool:
    """Whether the wall time lies in the window in every zone."""
    return all(_inside(now.astimezone(zone).time(), window) for zone in zones)


def next_opening(now: datetime, window: Window, zones: Sequence[ZoneInfo]) -> datetime | None:
    """The earliest instant from `now` on at which the window is open in every zone, `now` included.

    None when there is none within 8 days: in zones far apart a short window never opens at once.
    """
    limit = now + HORIZON
    while now <= limit:
        # It is closed somewhere until the last of them opens; by then another may have closed again.
        opening = max(_zone_opening(now, window, zone) for zone in zones)
        if opening == now:
            return now
        now = opening
    return None


def stays_open_until(now: datetime, window: Window, zones: Sequence[ZoneInfo]) -> datetime:
    """When the window closes in the first of the zones; `now` when it is not open."""
    closed = Window(window.end, window.start)
    return min(_zone_opening(now, closed, zone) for zone in zones)


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a naive wall time; the first after the gap, or the first of two."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # In a gap the two folds lie on both sides of the change: https://peps.python.org/pep-0495/
    return _change(local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant, zone)


@lru_cache(maxsize=4096)
def zones_of(timezone: str | None, country: str | None, default: ZoneInfo) -> tuple[ZoneInfo, ...]:
    """The customer's own zone when it is known, else every zone of the two-letter country, else the default."""
    own = _zone(timezone or "")
    if own:
        return (own,)
    # The table's one longer key, 001, is the world; it lists zones of no country.
    names = get_global("territory_zones").get(country.upper(), ()) if country and len(country) == len("IT") else ()
    found = tuple(zone for zone in map(_zone, names) if zone)
    # Waiting until a window opens in all the world would be waiting for ever: a customer about whom we
    # know nothing is taken to live where the business does.
    return found or (default,)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, malformed, or the name of a folder such as "Europe"
        return None


def _next_occurrence(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    # Yesterday's `at` can still be to come: when it fell into a gap that ends today.
    day = local_date(now, zone) - DAY
    while (instant := to_utc(datetime.combine(day, at), zone)) < now or local_day(day, zone) is None:
        day += DAY
    return instant


@lru_cache(maxsize=4096)  # a day is planned as of one instant: its customers share some dozens of answers
def _zone_opening(now: datetime, window: Window, zone: ZoneInfo) -> datetime:
    while True:
        local = now.astimezone(zone)
        if _inside(local.time(), window):
            return now
        wait = (datetime.combine(local, window.start) - local.replace(tzinfo=None)) % DAY
        opening = now + wait
        if opening.astimezone(zone).utcoffset() == local.utcoffset():
            return opening
        # The clocks change before then: look again from the change.
        now = _change(now, opening, zone)


def _inside(wall: time, window: Window) -> bool:
    start, end = window
    return start <= wall < end if start < end else wall >= start or wall < end


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant of the clock change in (before, after], which are at most a day apart and differ in offset.

    No zone has ever changed twice within three days (tzdata 2025b), so it is the only one.
    """
    before = before.replace(microsecond=0)  # changes fall on whole seconds
    offset = before.astimezone(zone).utcoffset()
    seconds = range(int((after - before).total_seconds()))
    changed = bisect_left(
        seconds, True, key=lambda second: (before + timedelta(seconds=second)).astimezone(zone).utcoffset() != offset
    )
    return before + timedelta(seconds=changed)
