"""So many calls in any period, counted over all workers: each call has a slot, and the row says when the next is free.

Slots lie evenly, so that a crash loses no more than those that were reserved. They follow the real time, whatever time
the rest is told: a provider counts by its own clock.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection

from automation.database.types import MICROSECOND
from automation.delivery.health.standing import Standing, hold, keep, standings
from automation.settings import Provider
from automation.values import Rate, duration_text

# A call may start so much of a period after its slot, or on a machine whose clock is so much ahead.
SPARE = 0.05
SLOWEST = 1 / 64
RECOVERED_A_MINUTE = 0.1
MINUTE = timedelta(minutes=1)
FARTHEST = timedelta(hours=1)  # beyond the slowest pace; more is the work of a clock that was ahead


def share_of(standing: Standing, wall: datetime) -> float:
    """How much of the configured rate is in force: it comes back little by little after the last 429."""
    if standing.slowed_at is None:
        return 1.0
    minutes = max(0.0, (wall - standing.slowed_at) / MINUTE)
    return min(1.0, standing.share + RECOVERED_A_MINUTE * minutes)


def slow_down(standing: Standing, began: datetime, wall: datetime) -> None:
    """Halve the rate in force, unless the call was under way already when it was halved last."""
    if standing.slowed_at is None or began > standing.slowed_at:
        standing.share, standing.slowed_at = max(SLOWEST, share_of(standing, wall) / 2), wall


def grace(rate: Rate) -> timedelta:
    """A slot is lost when its call starts later than this."""
    return rate.period * SPARE


def ahead(standing: Standing, rate: Rate, wall: datetime) -> timedelta:
    """How long the next call would have to wait behind those that have their slots."""
    queue = timedelta(0) if standing.free_at is None else standing.free_at - wall
    return queue if timedelta(0) < queue < 2 * _step(rate, SLOWEST) + FARTHEST else timedelta(0)


def slots(queue: timedelta, rate: Rate, share: float, count: int, wall: datetime) -> list[datetime]:
    """The instants of the next calls, and at the end the instant that is free after them."""
    step = _step(rate, share)
    return [wall + queue + step * number for number in range(count + 1)]


def _step(rate: Rate, share: float) -> timedelta:
    return timedelta(microseconds=ceil(rate.period / MICROSECOND * (1 + SPARE) / (rate.amount * share)))


def at_once(rate: Rate, share: float, within: timedelta) -> float:
    """How many calls have their slots in so much time."""
    return within / rate.period * rate.amount * share


def reserve(
    connection: Connection, key: str, rate: Rate, share: float, count: int, wall: datetime
) -> Sequence[datetime]:
    """The slots of so many calls, at this share of the rate; nobody else gets them."""
    standing = hold(connection, [key])[key]
    *taken, standing.free_at = slots(ahead(standing, rate, wall), rate, share, count, wall)
    keep(connection, standing)
    return taken


def slowed(connection: Connection, providers: Mapping[str, Provider], wall: datetime) -> dict[str, str]:
    """The rate in force of each provider where it is below the configured one, such as `12.5/second`."""
    shares = {one.provider: share_of(one, wall) for one in standings(connection)}
    return {key: _text(providers[key].rate, share) for key, share in shares.items() if share < 1 and key in providers}


def rates_in_force(connection: Connection, providers: Mapping[str, Provider], wall: datetime) -> dict[str, str]:
    """Of every provider, slowed down or not."""
    return {key: _text(one.rate, 1) for key, one in providers.items()} | slowed(connection, providers, wall)


def _text(rate: Rate, share: float) -> str:
    amount = float(f"{rate.amount * share:.3g}")  # three digits that count
    return f"{amount:g}/{duration_text(rate.period).split()[-1]}"
