"""How each provider stands: may it be posted to, how fast, and what it answered lately."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from automation.database.schema import attempts
from automation.delivery.health.by_hand import pauses_now
from automation.delivery.health.pauses import scope_of
from automation.delivery.health.rates import share_of
from automation.delivery.health.standing import Standing, standings
from automation.settings import Provider, Settings

LATELY = timedelta(hours=1)
LOOKED_AT = 1000  # answers of a provider at most, however many there were
State = Literal["fit", "slowed", "unproven", "paused"]


@dataclass(frozen=True)
class Answers:
    """What was answered in the last hour, of the newest thousand messages. `seconds`: of each call, in order."""

    replies: Mapping[str, int]
    reasons: Mapping[str, int]
    seconds: Sequence[float]
    last: Row[Any] | None

    def quantile(self, share: float) -> float | None:
        """So many of the calls took no longer; None of none."""
        return self.seconds[max(0, ceil(share * len(self.seconds)) - 1)] if self.seconds else None


@dataclass(frozen=True)
class ProviderNow:
    """`share` of the configured rate is in force; `paused` is the row of the pause, if there is one."""

    key: str
    provider: Provider
    state: State
    share: float
    standing: Standing
    paused: Row[Any] | None
    answers: Answers


def providers_now(connection: Connection, settings: Settings, now: datetime) -> list[ProviderNow]:
    """Those that are configured, in that order."""
    known = {one.provider: one for one in standings(connection)}
    paused = {one.scope: one for one in pauses_now(connection, now)}
    return [
        _provider(connection, key, provider, known.get(key, Standing(key)), paused.get(scope_of(key)), now)
        for key, provider in settings.providers.items()
    ]


def _provider(
    connection: Connection, key: str, provider: Provider, standing: Standing, paused: Row[Any] | None, now: datetime
) -> ProviderNow:
    share = share_of(standing, now)
    state: State = "paused" if paused else "unproven" if not standing.proven else "slowed" if share < 1 else "fit"
    return ProviderNow(key, provider, state, share, standing, paused, answers_of(connection, key, now))


def answers_of(connection: Connection, provider: str, now: datetime) -> Answers:
    """Along the index of a provider's attempts by time, from its end."""
    columns = ("message_id", "started_at", "finished_at", "reply", "reason", "detail", "http_status", "batch")
    newest = select(*attempts.c[*columns]).where(attempts.c.provider == provider)
    rows = connection.execute(newest.order_by(attempts.c.started_at.desc()).limit(LOOKED_AT)).all()
    lately = [row for row in rows if now - LATELY <= row.started_at]
    calls = {row.batch or row.message_id: (row.finished_at - row.started_at).total_seconds() for row in lately}
    return Answers(
        Counter(row.reply for row in lately),
        Counter(row.reason for row in lately if row.reason),
        sorted(calls.values()),
        rows[0] if rows else None,
    )


def other_pauses(connection: Connection, now: datetime) -> list[Row[Any]]:
    """What else is paused: everything, playbooks, customers."""
    return [one for one in pauses_now(connection, now) if not one.scope.startswith("provider:")]
