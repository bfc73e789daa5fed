"""What Prometheus scrapes: gauges computed from rows at that moment, so that every process tells the same.

Of the messages it tells those planned in the last 24 hours and those that are open: both are read along an index,
however long the log has become. No label names a person.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection

from automation.database.engine import Database
from automation.delivery.alerts.incidents import incidents_now
from automation.delivery.overview.day import day_since
from automation.delivery.overview.providers import providers_now
from automation.delivery.overview.waiting import calls_waiting, open_messages
from automation.delivery.overview.work import duty, last_completed, worker_lives
from automation.settings import Settings

DAY = timedelta(days=1)
QUANTILES = (0.5, 0.95, 0.99)
MESSAGE = ("status", "channel", "playbook", "reason")


def metrics_text(database: Database, settings: Settings, now: datetime) -> bytes:
    """All of them, as Prometheus reads text."""
    registry = CollectorRegistry()
    with database.reading() as connection:
        registry.register(_Collected(connection, settings, now))
        return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, connection: Connection, settings: Settings, now: datetime) -> None:
        self._connection, self._settings, self._now = connection, settings, now

    def describe(self) -> list[Metric]:
        """Nothing beforehand: or the rows would be read twice."""
        return []

    def collect(self) -> Iterator[Metric]:
        for family in FAMILIES:
            yield from family(self._connection, self._settings, self._now)


def _messages(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:  # noqa: ARG001 (one form for all)
    told = GaugeMetricFamily("automation_messages_24h", "Messages planned in the last 24 hours.", labels=MESSAGE)
    counts: Counter[tuple[str, ...]] = Counter()
    for one in day_since(connection, now - DAY).counts:
        counts[one.status, one.channel, one.playbook, one.reason or ""] += one.messages
    for labels, count in sorted(counts.items()):
        told.add_metric(labels, count)
    yield told


def _open(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:  # noqa: ARG001 (likewise)
    found = open_messages(connection, now)
    told = GaugeMetricFamily("automation_messages_open", "Messages of any age that have not ended.", labels=["status"])
    for status, count in (("planned", found.planned), ("sending", found.sending), ("unknown", found.unknown)):
        told.add_metric([status], count)
    yield told
    waits = (now - found.oldest_due).total_seconds() if found.oldest_due else 0
    yield GaugeMetricFamily("automation_oldest_due_seconds", "How long the oldest due message has waited.", waits)


def _run(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:
    last = last_completed(connection)
    if last is not None:
        seconds = (now - last).total_seconds()
        yield GaugeMetricFamily("automation_last_run_seconds", "Since a daily run was completed.", seconds)
    is_late = duty(connection, settings, now).needs_somebody
    yield GaugeMetricFamily("automation_run_missing", "1 when the daily run is due and was not done.", int(is_late))


def _work(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:  # noqa: ARG001 (likewise)
    alive = sum(one.state == "alive" for one in worker_lives(connection, now))
    yield GaugeMetricFamily("automation_workers_alive", "Workers with a recent sign of life.", alive)
    waiting = calls_waiting(connection).waiting
    yield GaugeMetricFamily("automation_hook_calls_waiting", "Calls of providers not yet worked out.", waiting)


def _incidents(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:  # noqa: ARG001 (likewise)
    told = GaugeMetricFamily("automation_incidents_open", "What somebody has to know.", labels=["kind"])
    for kind, count in sorted(Counter(one.kind for one in incidents_now(connection)).items()):
        told.add_metric([kind], count)
    yield told


def _providers(connection: Connection, settings: Settings, now: datetime) -> Iterator[Metric]:
    about = "Seconds a call took, of the newest thousand messages of the last hour."
    seconds = GaugeMetricFamily("automation_provider_seconds", about, labels=["provider", "quantile"])
    replies = GaugeMetricFamily("automation_provider_replies", "Their answers.", labels=["provider", "reply"])
    states = GaugeMetricFamily("automation_provider_state", "1 for the state it is in.", labels=["provider", "state"])
    for one in providers_now(connection, settings, now):
        states.add_metric([one.key, one.state], 1)
        for quantile in QUANTILES if one.answers.seconds else ():
            seconds.add_metric([one.key, str(quantile)], one.answers.quantile(quantile) or 0)
        for reply, count in sorted(one.answers.replies.items()):
            replies.add_metric([one.key, reply], count)
    yield from (seconds, replies, states)


FAMILIES: tuple[Callable[[Connection, Settings, datetime], Iterator[Metric]], ...] = (
    _messages,
    _open,
    _run,
    _work,
    _incidents,
    _providers,
)
