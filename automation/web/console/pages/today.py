"""The first page: is the work being done, what happens today, and what has somebody to know."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from automation.clock import day_start, local_date
from automation.delivery.alerts.incidents import incidents_now
from automation.delivery.overview.day import Day, Due, day_since, due_next
from automation.delivery.overview.providers import providers_now
from automation.delivery.overview.waiting import Open, open_messages
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


class Counted(NamedTuple):
    """What takes the longer the more messages a day has."""

    planned: Day
    open: Open
    soon: list[Due]


@router.get("/")
def show_today(call: Anyone) -> Response:
    settings, now = call.office.settings, call.now
    zone = settings.business.zone
    day = local_date(now, zone)
    with call.reading() as connection:
        counted = call.office.recent.of(day, lambda: _counted(connection, day_start(day, zone), now))
        values: dict[str, Any] = {
            "alarms": alarms(connection, settings, now),
            "run": next(iter(latest_runs(connection)), None),
            "providers": providers_now(connection, settings, now),
            "incidents": incidents_now(connection),
        }
    planned = counted.planned
    values |= {"open": counted.open, "soon": list(_by_hour(counted.soon, zone))}
    values |= {"held": _whys(planned.held), "not_sent": _whys(planned.not_sent), "statuses": _statuses(planned)}
    return call.page("today.html", today=day, drawn=hours(planned.counts, day, zone), **values)


def _counted(connection: Connection, since: datetime, now: datetime) -> Counted:
    return Counted(day_since(connection, since), open_messages(connection, now), due_next(connection, now, now + NEXT))


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
