"""When a step's message is due: the delay, then the preferred time, then the window."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from automation.clock import day_start, local_date, preferred
from automation.delivery.desk import Desk
from automation.playbooks.model import Playbook, Step
from automation.values import Window

DAY = timedelta(days=1)


def due_at(
    desk: Desk, playbook: Playbook, step: Step, since: datetime, zones: Sequence[ZoneInfo], country: str | None
) -> datetime:
    """`since` is when the customer entered, or when the previous step was over.

    A delay of whole days with a preferred time counts local dates: "5 days" and "10:00" after a message of 10:00:07
    is ten o'clock on the fifth day, not on the sixth. A transactional message waits for no window.
    """
    model = step.model
    if not playbook.is_marketing and model.at is None:
        return since + model.after
    return _next(since, model.after, model.at, desk.limits(model.channel, country, since).window, tuple(zones))


@lru_cache(maxsize=10_000)
def _next(since: datetime, after: timedelta, at: time | None, window: Window, zones: tuple[ZoneInfo, ...]) -> datetime:
    """Remembered, because a day's entries share their instant and a shop's customers a few zones."""
    earliest = since + after
    if at is not None and after >= DAY and after % DAY == timedelta(0):
        earliest = day_start(local_date(earliest, zones[0]), zones[0])
    return preferred(earliest, at, window, zones) or earliest
