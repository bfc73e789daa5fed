"""A provider that has not proven fit is posted one call at a time, by one worker at a time, until it has."""

from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import Connection

from automation.delivery.health.pauses import paused_until
from automation.delivery.health.standing import Standing, hold, keep
from automation.delivery.workers import is_gone

BEYOND = timedelta(seconds=10)  # the provider's timeout: until then the answer is written down


class Trial(Enum):
    OURS = auto()
    OF_ANOTHER = auto()
    OVER = auto()
    PAUSED = auto()


def begin_trial(
    connection: Connection, provider: str, worker: str, timeout: timedelta, now: datetime, wall: datetime
) -> Trial:
    """Whether this worker may post one call now. What it hears ends the trial, or `end_trial` does."""
    standing = hold(connection, [provider])[provider]
    if paused_until(connection, provider, now) is not None:
        return Trial.PAUSED
    if standing.proven:
        return Trial.OVER
    if _is_tried_by_another(standing, worker, wall):
        return Trial.OF_ANOTHER
    standing.tried_by, standing.tried_until = worker, wall + timeout + BEYOND
    keep(connection, standing)
    return Trial.OURS


def end_trial(connection: Connection, provider: str) -> None:
    """Nothing was posted."""
    standing = hold(connection, [provider])[provider]
    standing.tried_by = standing.tried_until = None
    keep(connection, standing)


def _is_tried_by_another(standing: Standing, worker: str, wall: datetime) -> bool:
    if standing.tried_by in {None, worker} or standing.tried_until is None or standing.tried_until <= wall:
        return False
    return not is_gone(standing.tried_by or "")
