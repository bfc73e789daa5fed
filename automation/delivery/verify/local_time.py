"""I6 and I7: caps by the customer's local days, and windows by their local time.

Both are judged by today's settings and by where the customer lives now, for neither has a history: after a change of
either, give `since`. A customer who may live in several zones must have been written to rightly in each of them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, select, type_coerce

from automation.clock import is_open, local_date, zones_of
from automation.customers.profile import country_of
from automation.database.schema import Shards, attempts, customers, messages
from automation.database.types import Instant, later
from automation.delivery.verify.finding import PAGE, Violation
from automation.regions import region_of
from automation.settings import CHANNELS, Settings
from automation.values import Window

DAY = timedelta(days=1)
WEEK = 7
MINUTES = 24 * 60
UTC_ZONE = ZoneInfo("UTC")
PLACE = (customers.c.timezone, customers.c.country, customers.c.phone)
STREAM = {"yield_per": PAGE}
one_open = lru_cache(maxsize=10_000)(is_open)  # many posts begin at one instant


def over_caps(connection: Connection, settings: Settings, shards: Shards, since: datetime) -> Iterator[Violation]:
    """A message is one too many when the one `cap` places before it lies within the same local days."""
    for channel in CHANNELS:
        rules = settings.channel(channel)
        for cap, days, span in (
            (rules.max_per_day, 1, "one local day"),
            (rules.max_per_week, WEEK, "seven local days"),
        ):
            told = f"With it the customer had more than {cap} marketing messages by {channel} in {span}."
            for row in _too_near(connection, settings, shards, channel, cap, days, since):
                yield Violation("I6", {"message_id": row.message_id, "customer_id": row.customer_id}, told)


def _too_near(
    connection: Connection, settings: Settings, shards: Shards, channel: str, cap: int, days: int, since: datetime
) -> Iterator[Row[Any]]:
    """By when they were first posted, and by when they were taken, which may be another day where calls have keys."""
    of = messages.c
    taken_at = case(
        (of.idempotency_key.is_not(None), func.coalesce(of.sent_at, of.first_used_at)), else_=of.first_used_at
    )
    seen: set[int] = set()
    for posted_at in (of.first_used_at, type_coerce(taken_at, Instant())):
        pairs = _pairs(shards, channel, cap, days, since, posted_at, connection.dialect.name)
        for row in connection.execute(pairs, execution_options=STREAM):
            near = any(_days_apart(row, zone) < days for zone in _zones(row, settings))
            if near and row.message_id not in seen:
                seen.add(row.message_id)
                yield row


def _pairs(
    shards: Shards, channel: str, cap: int, days: int, since: datetime, posted_at: ColumnElement[Any], dialect: str
) -> Select[Any]:
    """Each message with the one `cap` places before it, where the two are near enough for it to matter."""
    of = messages.c
    before = func.lag(posted_at, cap, type_=Instant())
    earlier = before.over(partition_by=(of.shard, of.customer_id), order_by=(posted_at, of.message_id))
    counted = (
        select(of.shard, of.message_id, of.customer_id, posted_at.label("posted_at"), earlier.label("earlier"))
        # What a person asked for is on top of what a shop allows itself.
        .where(shards.of(messages), of.channel == channel, of.kind == "marketing", of.again_of.is_(None))
        .where(of.status.in_(["sending", "sent", "unknown"]), of.first_used_at > since - DAY * (WEEK + 1))
        .subquery("counted")
    )
    # A local day has 25 hours where clocks go back; a whole day more is on the safe side.
    near = later(counted.c.earlier, DAY * (days + 1), dialect)
    return (
        select(counted.c.message_id, counted.c.customer_id, counted.c.posted_at, counted.c.earlier, *PLACE)
        .join(customers, _same_customer(counted))
        .where(counted.c.posted_at > since, counted.c.posted_at < near)
    )


def _same_customer(table: Any) -> Any:
    return and_(customers.c.shard == table.c.shard, customers.c.customer_id == table.c.customer_id)


def _days_apart(row: Any, zone: ZoneInfo) -> int:
    return (local_date(row.posted_at, zone) - local_date(row.earlier, zone)).days


def outside_windows(connection: Connection, settings: Settings, shards: Shards, since: datetime) -> Iterator[Violation]:
    """Attempts of marketing messages that began while it was too early or too late for the customer."""
    begun = (
        select(attempts.c.message_id, attempts.c.number, attempts.c.started_at, messages.c.channel)
        .add_columns(messages.c.customer_id, *PLACE)
        .join(messages, and_(messages.c.shard == attempts.c.shard, messages.c.message_id == attempts.c.message_id))
        .join(customers, _same_customer(messages))
        .where(shards.of(attempts), attempts.c.started_at > since, messages.c.kind == "marketing")
    )
    for row in connection.execute(begun, execution_options=STREAM):
        zones = _zones(row, settings)
        windows = _windows(settings.channel(row.channel).window, row.channel, _country(row), row.started_at.date())
        if not all(one_open(row.started_at, window, zones) for window in windows):
            wall = ", ".join(sorted({f"{row.started_at.astimezone(zone):%H:%M}" for zone in zones}))
            told = f"Attempt {row.number} began outside the window, at {wall} where the customer lives."
            yield Violation("I7", {"message_id": row.message_id, "customer_id": row.customer_id}, told)


def _zones(row: Any, settings: Settings) -> Sequence[ZoneInfo]:
    """Where they live, else every zone of their country, else of their number's country, else the business's."""
    country = row.country if row.timezone is not None else _country(row)
    return zones_of(row.timezone, country, settings.business.zone)


def _country(row: Any) -> str | None:
    """Theirs, else their number's."""
    own: str | None = row.country
    return own if own is not None or row.phone is None else country_of(row.phone)


@lru_cache(maxsize=1000)
def _windows(shops: Window, channel: str, country: str | None, on: date) -> Sequence[Window]:
    """Those that must both be open: the shop's and the country's, or the country's alone when they never are."""
    theirs = region_of(country, on).windows.get(channel)
    if theirs is None:
        return (shops,)
    day = datetime.combine(on, time.min, UTC)
    minutes = (day + timedelta(minutes=minute) for minute in range(MINUTES))
    ever = any(is_open(one, shops, (UTC_ZONE,)) and is_open(one, theirs, (UTC_ZONE,)) for one in minutes)
    return (shops, theirs) if ever else (theirs,)
