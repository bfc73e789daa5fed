"""Which provider of a channel is fit to send, kept as rows so that every worker knows."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.brake import pull_brake
from automation.database.schema import pauses
from automation.delivery.replies import Accepted, Later, Refused, Reply
from automation.settings import Settings

log = logging.getLogger(__name__)
TROUBLE = 3  # so many calls in a row refused for the account, or without a connection
PAUSE = timedelta(minutes=5)
SHORTEST_PAUSE = timedelta(seconds=1)


def scope_of(provider: str) -> str:
    return f"provider:{provider}"


def fit_provider(connection: Connection, settings: Settings, channel: str, now: datetime) -> str | None:
    """The first provider of the channel that is not paused."""
    paused = _paused_until(connection, now)
    return next((key for key in settings.channel(channel).providers if scope_of(key) not in paused), None)


def free_at(connection: Connection, settings: Settings, channel: str, now: datetime) -> datetime:
    """When the first of the channel's paused providers may be tried again."""
    paused = _paused_until(connection, now)
    ends = [
        paused[scope_of(key)] or now + PAUSE for key in settings.channel(channel).providers if scope_of(key) in paused
    ]
    return min(ends, default=now + PAUSE)


def _paused_until(connection: Connection, now: datetime) -> dict[str, datetime | None]:
    found = select(pauses.c.scope, pauses.c.until).where(or_(pauses.c.until.is_(None), pauses.c.until > now))
    return dict(connection.execute(found).all())


def paused_until(connection: Connection, provider: str, now: datetime) -> datetime | None:
    """When a paused provider may be tried again; None when it is not paused."""
    paused = _paused_until(connection, now)
    return (paused[scope_of(provider)] or now + PAUSE) if scope_of(provider) in paused else None


def pause(connection: Connection, scope: str, reason: str, now: datetime, until: datetime | None) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"scope": scope, "reason": reason, "since": now, "until": until}
    new = dialect.insert(pauses).values(row)
    ongoing = or_(pauses.c.until.is_(None), pauses.c.until > now)
    changed = {"reason": reason, "until": until, "since": case((ongoing, pauses.c.since), else_=new.excluded.since)}
    connection.execute(new.on_conflict_do_update(index_elements=["scope"], set_=changed))
    pull_brake(connection)


class Trouble:
    """Counts a provider's failures in a row during one dispatch; each call is one, however many messages it had."""

    def __init__(self) -> None:
        self._in_a_row: Counter[str] = Counter()
        self.proven: set[str] = set()
        self.unfit: set[str] = set()

    def note(self, connection: Connection, provider: str, replies: Sequence[Reply], now: datetime) -> None:
        """Pause the provider when it says so, or after three calls in a row that show it is unfit."""
        wished = [one.after or SHORTEST_PAUSE for one in replies if isinstance(one, Later) and one.throttled]
        if wished:
            self.unfit.add(provider)
            pause(connection, scope_of(provider), "throttled", now, now + max(*wished, SHORTEST_PAUSE))
        if not _unfit(replies):
            if any(_looked_at(one) for one in replies):
                self.proven.add(provider)
            self._in_a_row[provider] = 0
            return
        self._in_a_row[provider] += 1
        if self._in_a_row[provider] >= TROUBLE:
            self._in_a_row[provider] = 0
            self.proven.discard(provider)
            self.unfit.add(provider)
            why = str(getattr(replies[0], "reason", "unfit"))
            pause(connection, scope_of(provider), why, now, now + PAUSE)
            log.error("provider %s is paused for %s: %s", provider, PAUSE, why)


def _looked_at(reply: Reply) -> bool:
    """The provider took the message, or refused it for its recipient: we and our account are fine with it."""
    return isinstance(reply, Accepted) or (isinstance(reply, Refused) and reply.scope == "recipient")


def _unfit(replies: Iterable[Reply]) -> bool:
    """The account was refused, or nobody answered the door."""
    return any(
        (isinstance(one, Refused) and one.scope == "account")
        or (isinstance(one, Later) and not one.throttled and one.http_status is None)
        for one in replies
    )
