"""What a provider's replies tell about the provider itself, kept as rows: every worker counts and heeds the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from automation.delivery.alerts.incidents import close_incident, open_incident
from automation.delivery.health.pauses import PAUSE, pause, scope_of
from automation.delivery.health.rates import share_of, slow_down
from automation.delivery.health.standing import Standing, keep
from automation.delivery.replies import Accepted, Later, Refused, Reply, Unknown
from automation.values import duration_text

UNFIT = 3  # so many calls in a row refused for the account, or without a connection
UNANSWERED = 10  # or of which nobody knows
LONGEST_PAUSE = timedelta(hours=1)
SHORTEST_WAIT = timedelta(seconds=1)


@dataclass(frozen=True)
class Told:
    """One call's replies, however many messages it had, and when in real time it was posted."""

    replies: Sequence[Reply]
    began: datetime


def note(connection: Connection, standing: Standing, calls: Iterable[Told], now: datetime, wall: datetime) -> None:
    """Slow down, pause or trust the provider whose standing is held."""
    standing.tried_by = standing.tried_until = None
    for call in calls:
        if is_throttled(call.replies):
            _throttle(connection, standing, call, now, wall)
        elif standing.paused_at is None or call.began > standing.paused_at:  # else it tells nothing new
            _judge(connection, standing, call.replies, now, wall)
    keep(connection, standing)


def is_throttled(replies: Iterable[Reply]) -> bool:
    return any(isinstance(one, Later) and one.throttled for one in replies)


def patience(replies: Iterable[Reply]) -> int | None:
    """After how many such calls in a row the provider is taken to be unfit; None when this one was answered."""
    if any(map(_unfit, replies)):
        return UNFIT
    return UNANSWERED if any(isinstance(one, Unknown) for one in replies) else None


def _throttle(connection: Connection, standing: Standing, call: Told, now: datetime, wall: datetime) -> None:
    """The wait it asks for; at least a second, and more the slower it has become."""
    slow_down(standing, call.began, wall)
    wished = [one.after for one in call.replies if isinstance(one, Later) and one.after is not None]
    wait = max(SHORTEST_WAIT / share_of(standing, wall), *wished, timedelta(0))
    pause(connection, scope_of(standing.provider), "throttled", now, now + wait)


def _judge(connection: Connection, standing: Standing, replies: Sequence[Reply], now: datetime, wall: datetime) -> None:
    limit = patience(replies)
    if any(map(_looked_at, replies)):
        standing.proven, standing.failures, standing.paused_for = True, 0, 0
        close_incident(connection, "provider_paused", scope_of(standing.provider), now)
    elif limit is None:
        standing.failures = 0
    else:
        standing.proven, standing.failures = False, standing.failures + 1
        if standing.paused_for or standing.failures >= limit:
            _stop(connection, standing, str(getattr(replies[0], "reason", "unfit")), now, wall)


def _stop(connection: Connection, standing: Standing, why: str, now: datetime, wall: datetime) -> None:
    """Twice as long as the last time, if it was not proven fit since."""
    lasts = min(LONGEST_PAUSE, timedelta(seconds=2 * standing.paused_for) or PAUSE)
    standing.paused_for, standing.paused_at, standing.failures = int(lasts.total_seconds()), wall, 0
    scope = scope_of(standing.provider)
    pause(connection, scope, why, now, now + lasts)
    words = f"{scope} is paused for {duration_text(lasts)} ({why}); it is tried again with one message after that"
    open_incident(connection, "provider_paused", scope, words, now)


def _looked_at(reply: Reply) -> bool:
    """The provider took the message, or refused it for its recipient: we and our account are fine with it."""
    return isinstance(reply, Accepted) or (isinstance(reply, Refused) and reply.scope == "recipient")


def _unfit(reply: Reply) -> bool:
    """The account was refused, or nobody answered the door."""
    if isinstance(reply, Refused):
        return reply.scope == "account"
    return isinstance(reply, Later) and not reply.throttled and reply.http_status is None
