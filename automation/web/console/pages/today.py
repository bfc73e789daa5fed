"""The first page: is the work being done, what happens today, and what has somebody to know."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from automation.clock import day_start, local_date
from automation.delivery.alerts.incidents import incidents_now
from automation.delivery.overview.day import Day, Due, day_since, due_next
from automation.delivery.overview.providers import providers_now
from automation.delivery.overview.waiting import open_messages
from automation.delivery.overview.work import latest_runs
from automation.reasons import BY_KEY
from automation.web.console.alarms import alarms
from automation.web.console.call import Anyone
from automation.web.console.charts.hours import hours

router = APIRouter()
NEXT = timedelta(hours=24)


class Why(NamedTuple):
    """So many messages for one reason, with its sentence."""

    reason: str
    sentence: str
    messages: int


class Soon(NamedTuple):
    """So many of a playbook are due in the hour that begins then."""

    hour: datetime
    playbook: str
    channel: str
    messages: int


@router.get("/")
def show_today(call: Anyone) -> Response:
    settings, now = call.office.settings, call.now
    zone = settings.business.zone
    day = local_date(now, zone)
    with call.reading() as connection:
        planned = call.office.recent.of(day, lambda: day_since(connection, day_start(day, zone)))
        values: dict[str, Any] = {
            "alarms": alarms(connection, settings, now),
            "run": next(iter(latest_runs(connection)), None),
            "open": open_messages(connection, now),
            "providers": providers_now(connection, settings, now),
            "incidents": incidents_now(connection),
            "soon": list(_by_hour(due_next(connection, now, now + NEXT), zone)),
        }
    values |= {"held": _whys(planned.held), "not_sent": _whys(planned.not_sent), "statuses": _statuses(planned)}
    return call.page("today.html", today=day, drawn=hours(planned.counts, day, zone), **values)


def _statuses(day: Day) -> Counter[str]:
    found = day.statuses
    return Counter({**found, "refused": found["rejected"] + found["failed"]})


def _whys(counts: Counter[str]) -> list[Why]:
    """The most frequent first."""
    return [Why(key, BY_KEY[key].sentence if key in BY_KEY else key, count) for key, count in counts.most_common()]


def _by_hour(due: Iterable[Due], zone: ZoneInfo) -> Iterator[Soon]:
    """Quarters put together to hours of the zone, the earliest first."""
    found: Counter[tuple[datetime, str, str]] = Counter()
    for one in due:
        hour = one.quarter.astimezone(zone).replace(minute=0)
        found[hour, one.playbook, one.channel] += one.messages
    yield from (Soon(*key, messages) for key, messages in sorted(found.items()))
