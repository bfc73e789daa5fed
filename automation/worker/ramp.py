"""After downtime the backlog is not let go at once: providers distrust a flood, and a mistake is seen in time."""

from datetime import datetime, timedelta

from automation.worker.life import LONG

FIRST = 0.1
DOUBLES_EVERY = timedelta(minutes=1)


def share(started_at: datetime, downtime: timedelta, now: datetime) -> float:
    """The share of the rate to send at, in (0, 1]: a tenth in the first minute after a long downtime, then twice as
    much each minute.

    It depends on when the downtime ended and on nothing else, so that a worker that dies and comes back goes on where
    the time says. A clock that shows a time before that tells nothing, and slows nothing down.
    """
    if downtime <= LONG or now < started_at:
        return 1.0
    doubled = (now - started_at) // DOUBLES_EVERY
    return min(1.0, FIRST * float(2 ** min(doubled, 10)))
