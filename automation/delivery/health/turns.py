"""Waiting for one's turn: a place among the calls in flight is not enough, the rate has to let it go too."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from automation.delivery.health.rates import grace
from automation.settings import Provider

SHORTEST_WAIT = 0.001  # seconds: a timer costs more than it is early
Reserve = Callable[[str, int], Awaitable[Sequence[datetime]]]


class Gate:
    """Calls wait before it with what was known of their provider; it closes for good when that is no longer true."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        self._closed.set()

    async def closes_within(self, seconds: float) -> bool:
        """Wait so long, or until it is closed."""
        if seconds > SHORTEST_WAIT:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._closed.wait()
        return self.is_closed


class Turns:
    """The slots that this process holds, in order: the first call that is ready takes the first one that still holds.

    `reserve` gets slots for so many calls of a provider.
    """

    def __init__(
        self, providers: Mapping[str, Provider], wall: Callable[[], datetime], reserve: Reserve, ended: asyncio.Event
    ) -> None:
        self._wall, self._reserve, self._ended = wall, reserve, ended
        self._grace = {key: grace(provider.rate) for key, provider in providers.items()}
        self._slots: dict[str, deque[datetime]] = {key: deque() for key in providers}
        self._waiting: Counter[str] = Counter()
        self._taking = {key: asyncio.Lock() for key in providers}
        self._gates = {key: Gate() for key in providers}

    def gates(self) -> dict[str, Gate]:
        """Those before which calls wait that are decided from now on."""
        return dict(self._gates)

    def close(self, provider: str) -> None:
        """Calls that wait are not posted; they are decided anew, at the pace that is right then."""
        self._slots[provider].clear()
        self._gates[provider].close()
        self._gates[provider] = Gate()

    async def close_all_at_the_end(self) -> None:
        await self._ended.wait()
        for provider in self._gates:
            self.close(provider)

    def join(self, calls: Mapping[str, int], slots: Mapping[str, Sequence[datetime]]) -> None:
        """So many calls wait from now on, by provider, with the slots that were reserved when they were decided."""
        self._waiting.update(calls)
        for provider, reserved in slots.items():
            self._slots[provider].extend(reserved)

    def leave(self, provider: str) -> None:
        self._waiting[provider] -= 1

    async def comes(self, provider: str, gate: Gate) -> bool:
        """Wait for a slot; False when the gate closes before. Nobody waits for it a second time."""
        try:
            if gate.is_closed:
                return False
            slot = await self._take(provider)
            return slot is not None and not await gate.closes_within((slot - self._wall()).total_seconds())
        finally:
            self.leave(provider)

    async def _take(self, provider: str) -> datetime | None:
        """None when there are no more, because the rows cannot be reached."""
        slots = self._slots[provider]
        async with self._taking[provider]:
            while True:
                while slots and self._wall() - slots[0] > self._grace[provider]:
                    slots.popleft()
                if slots:
                    return slots.popleft()
                more = await self._reserve(provider, max(1, self._waiting[provider]))
                if not more:
                    return None
                slots.extend(more)
