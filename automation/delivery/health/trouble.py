"""What a provider's replies tell about the provider itself."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from automation.delivery.health.pauses import PAUSE, pause, scope_of
from automation.delivery.replies import Accepted, Later, Refused, Reply

log = logging.getLogger(__name__)
TROUBLE = 3  # so many calls in a row refused for the account, or without a connection
SHORTEST_PAUSE = timedelta(seconds=1)


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
