"""What must not wait: the work is not being done, or somebody has stopped it. Each says what to do in the catalog."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection

from automation.delivery.health.by_hand import EVERYTHING
from automation.delivery.overview.providers import other_pauses
from automation.delivery.overview.work import NEEDS_SOMEBODY, duty, worker_lives, working
from automation.settings import Settings


class Alarm(NamedTuple):
    """`key` names its words, `alarm.<key>` and `alarm_do.<key>`; `since` is when it began."""

    key: str
    since: datetime
    why: str = ""


def alarms(connection: Connection, settings: Settings, now: datetime) -> list[Alarm]:
    """The worst first."""
    return [*_of_work(connection, settings, now), *of_pauses(connection, now)]


def _of_work(connection: Connection, settings: Settings, now: datetime) -> Iterator[Alarm]:
    run = duty(connection, settings, now)
    if run.state in NEEDS_SOMEBODY:
        yield Alarm(f"run_{run.state}", run.due_at)
    lives = worker_lives(connection, now)
    state = working(lives)
    if state in {"silent", "stopped"}:
        yield Alarm(f"worker_{state}", lives[0].seen_at)


def of_pauses(connection: Connection, now: datetime) -> Iterator[Alarm]:
    """Whether anything is sent at all."""
    for one in other_pauses(connection, now):
        if one.scope == EVERYTHING:
            yield Alarm("everything_paused", one.since, one.reason)
