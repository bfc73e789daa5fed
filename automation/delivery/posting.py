"""Calls that are decided go out: each in its turn, after a last look, and what was heard is written down."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from automation.delivery.calls import LEASE, Call
from automation.delivery.clearance import Clearance
from automation.delivery.desk import Desk
from automation.delivery.health import trouble
from automation.delivery.health.pace import Pace
from automation.delivery.health.refusals import Glance
from automation.delivery.health.trial import Trial, begin_trial, end_trial
from automation.delivery.health.turns import Gate, Turns
from automation.delivery.hearing import Posted, hear
from automation.delivery.http import Line
from automation.delivery.ledger import release
from automation.delivery.prepare import Prepared
from automation.delivery.providers import ADAPTERS, Account, Signs
from automation.delivery.providers.classify import from_failure
from automation.delivery.replies import Answer, Reply
from automation.delivery.tally import Tally
from automation.delivery.writer import AWAY, Writer
from automation.faultpoints import reach
from automation.settings import Provider

LOOK_AGAIN = 0.1  # seconds, while another worker tries a provider


@dataclass
class Posting:
    """The way out, shared by both channels. `wall` is the real time, by which providers count our calls."""

    desk: Desk
    worker: str
    clock: Callable[[], datetime]
    wall: Callable[[], datetime]
    stop: asyncio.Event
    providers: Mapping[str, Provider]
    accounts: Mapping[str, Account]
    writer: Writer
    clearance: Clearance
    pace: Pace
    tally: Tally
    _in_a_row: Counter[str] = field(default_factory=Counter)
    _glance: Glance = field(default_factory=Glance)

    def __post_init__(self) -> None:
        self.turns = Turns(self.providers, self.wall, self._more_slots, self.stop)
        self._places = {key: asyncio.Semaphore(provider.concurrency) for key, provider in self.providers.items()}
        self._trying = {key: asyncio.Lock() for key in self.providers}

    async def send(self, prepared: Prepared, gates: Mapping[str, Gate], door: Line) -> None:
        """Post the calls of one chunk; one at a time to a provider that has not proven fit."""
        waiting = list(prepared.calls)
        self.turns.join(Counter(call.provider for call in waiting), prepared.slots)
        while (call := next((one for one in waiting if not self.pace.is_proven(one.provider)), None)) is not None:
            waiting.remove(call)
            async with self._trying[call.provider]:
                await self._record([await self._try(call, gates[call.provider], door)])
        await self._record(await asyncio.gather(*(self._post(call, gates[call.provider], door) for call in waiting)))

    async def _try(self, call: Call, gate: Gate, door: Line) -> Posted:
        """Post it when no other worker has a call under way to this provider, which may be unfit."""
        timeout = self.providers[call.provider].timeout
        while not gate.is_closed and self._is_in_time(call):
            trial = await self.writer.unless_away(
                lambda connection: begin_trial(
                    connection, call.provider, self.worker, timeout, self.clock(), self.wall()
                ),
                Trial.PAUSED,
            )
            if trial is Trial.PAUSED:
                break
            if trial is not Trial.OF_ANOTHER:
                posted = await self._post(call, gate, door)
                if trial is Trial.OURS and not posted.replies:
                    await self.writer.unless_away(lambda connection: end_trial(connection, call.provider), None)
                return posted
            await gate.closes_within(LOOK_AGAIN)
        self.turns.leave(call.provider)
        return Posted(call)

    async def _post(self, call: Call, gate: Gate, door: Line) -> Posted:
        """Not posted, without a byte, is what must not go any more and what the provider turned out unfit for,
        and what has not had its turn when the worker is told to stop.
        """
        provider = self.providers[call.provider]
        adapter, account = ADAPTERS[provider.kind], self.accounts[call.provider]
        async with self._places[call.provider]:
            if not await self.turns.comes(call.provider, gate) or self.stop.is_set():
                return Posted(call)
            # The last look comes after it, so none begins after a withdrawal's commit.
            started_at, began = self.clock(), self.wall()
            if not await self._is_clear(call):
                return Posted(call)
            request = call.request or adapter.request(call.outgoing, account, call.key)
            if isinstance(adapter, Signs):
                request = adapter.signed(request, account, began)
            heard = await door.post(request, timeout=provider.timeout)
            if isinstance(heard, Answer):
                replies = adapter.replies(heard, call.outgoing, self.clock())
            else:
                replies = [from_failure(heard)] * len(call.outgoing)
            self._heed(call, replies)
        return Posted(call, replies, started_at, began)

    def _heed(self, call: Call, replies: Sequence[Reply]) -> None:
        """Calls that wait need not be posted to learn what these have told already."""
        provider, limit = call.provider, trouble.patience(replies)
        self._in_a_row[provider] = self._in_a_row[provider] + 1 if limit else 0
        unfit = limit and self._in_a_row[provider] >= limit
        refused = self._glance.shows((one.tag, reply) for one, reply in zip(call.outgoing, replies, strict=True))
        if unfit or refused or trouble.is_throttled(replies):
            self.turns.close(provider)
            self._in_a_row[provider] = 0

    async def _is_clear(self, call: Call) -> bool:
        """Nothing was taken back since it was decided, it did not wait too long for its turn, and it is still ours.
        Where nobody can say, because the database is away, nothing is posted.
        """
        try:
            number = await self.clearance.number()
        except AWAY:
            return False
        return number == call.brake and self._is_in_time(call)

    def _is_in_time(self, call: Call) -> bool:
        return self.clock() <= min(call.good_until, call.flights[0].started_at + LEASE)

    async def _record(self, posted: Sequence[Posted]) -> None:
        answered = [one for one in posted if one.replies]
        unposted = [flight for one in posted if not one.replies for flight in one.call.flights]
        if answered:
            reach("before_record")
            await self.writer.keep(lambda connection: self._note(connection, answered))
            reach("recorded")
        if unposted:
            await self.writer.keep(lambda connection: release(connection, unposted, self.clock()))

    def _note(self, connection: Connection, answered: Sequence[Posted]) -> None:
        for standing in hear(connection, self.desk, answered, self.clock(), self.wall(), self.tally):
            self.pace.trust(standing)

    async def _more_slots(self, provider: str, calls: int) -> Sequence[datetime]:
        return await self.writer.unless_away(lambda connection: self.pace.reserve(connection, provider, calls), ())
