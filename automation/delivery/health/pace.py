"""How fast each provider may be posted to, and whether it has proven fit, as the rows said last."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from automation.delivery.health.rates import SLOWEST, ahead, at_once, reserve, share_of
from automation.delivery.health.standing import Standing, standing_of
from automation.settings import Provider

# Claim no more than the rate lets go in this time: of what was claimed and has no key nobody knows after a crash.
AHEAD = timedelta(seconds=2)
CLAIM = 500
Slots = Mapping[str, Sequence[datetime]]


class Pace:
    """`share` of every rate is used at most, moment by moment."""

    def __init__(
        self, providers: Mapping[str, Provider], wall: Callable[[], datetime], share: Callable[[], float]
    ) -> None:
        self._providers, self._wall, self._share = providers, wall, share
        self._proven: set[str] = set()

    def is_proven(self, provider: str) -> bool:
        return provider in self._proven

    def standing(self, connection: Connection, provider: str) -> Standing:
        """What the rows say now; whether the provider is proven is remembered until they are read again."""
        standing = standing_of(connection, provider)
        self.trust(standing)
        return standing

    def trust(self, standing: Standing) -> None:
        (self._proven.add if standing.proven else self._proven.discard)(standing.provider)

    def wait(self, standing: Standing) -> timedelta:
        """How long to wait before more is claimed: nothing, or what lies beyond the slots of the next moments."""
        queue = ahead(standing, self._providers[standing.provider].rate, self._wall())
        return max(timedelta(0), queue - AHEAD)

    def limit(self, standing: Standing) -> int:
        """After a pause one message; until it is proven fit one call; then what the rate in force lets go."""
        if standing.paused_for:
            return 1
        provider = self._providers[standing.provider]
        calls = at_once(provider.rate, self._share_of(standing), AHEAD) if standing.proven else 1
        return max(1, min(CLAIM, int(calls * provider.batch)))

    def slots(self, connection: Connection, calls: Iterable[str]) -> dict[str, Sequence[datetime]]:
        """When calls may begin, given the provider of each."""
        return {key: self.reserve(connection, key, count) for key, count in Counter(calls).items()}

    def reserve(self, connection: Connection, provider: str, calls: int) -> Sequence[datetime]:
        """Slots for so many calls, or for as many as the next moments have."""
        rate, share = self._providers[provider].rate, self._share_of(standing_of(connection, provider))
        count = max(1, min(calls, int(at_once(rate, share, AHEAD))))
        return reserve(connection, provider, rate, share, count, self._wall())

    def _share_of(self, standing: Standing) -> float:
        return max(SLOWEST, share_of(standing, self._wall()) * self._share())
