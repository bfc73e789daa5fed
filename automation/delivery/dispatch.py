"""The loop: prepare what is due, post it, record what was heard."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from automation.clock import wall_clock
from automation.database.brake import brake
from automation.database.engine import Database
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.alerts.watch import MESSAGES
from automation.delivery.calls import LEASE, Call, Sender
from automation.delivery.clearance import Clearance
from automation.delivery.desk import Desk
from automation.delivery.health import trouble
from automation.delivery.health.pauses import fit_provider, free_at
from automation.delivery.health.rates import SLOWEST, ahead, at_once, reserve, share_of
from automation.delivery.health.refusals import Glance
from automation.delivery.health.standing import Standing, standing_of
from automation.delivery.health.trial import Trial, begin_trial, end_trial
from automation.delivery.health.turns import Gate, Turns
from automation.delivery.hearing import Posted, hear
from automation.delivery.http import Door, Doors, Line
from automation.delivery.ledger import release
from automation.delivery.prepare import Prepared, hold_all, prepare
from automation.delivery.providers import ADAPTERS, account_of
from automation.delivery.providers.classify import from_failure
from automation.delivery.recovery.recover import recover
from automation.delivery.replies import Answer, Reply
from automation.delivery.tally import Tally
from automation.errors import DatabaseBusy
from automation.faultpoints import reach

CHANNELS = ("email", "sms")
CHUNKS_AT_ONCE = 2  # one is prepared while another is under way
AHEAD = timedelta(seconds=10)  # claim no more than the provider's rate lets go in this time
LOOK_AGAIN = 0.1  # seconds, while another worker tries a provider
LOOK_EVERY = timedelta(seconds=1)  # at a channel on which nothing was due, while another one is busy
CLAIM = 500
WAITS = (0.5, 1, 2, 4, 8)  # seconds; shorter together than a worker may take to drain
AWAY = (OperationalError, InterfaceError, DatabaseBusy)
log = logging.getLogger(__name__)
T = TypeVar("T")
Clock = Callable[[], datetime]


def one_thread() -> Executor:
    return ThreadPoolExecutor(1)


class Dispatch:
    """One dispatch: everything that is due, until nothing is, or until `stop` is set.

    `clock` tells what is due; `wall` is the real time, by which providers count our calls.
    """

    def __init__(
        self,
        database: Database,
        desk: Desk,
        clock: Clock,
        worker: str,
        *,
        wall: Clock = wall_clock,
        door: Doors = Door,
        thread: Callable[[], Executor] = one_thread,
        share: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self.database, self.desk, self.clock, self.worker, self.wall = database, desk, clock, worker, wall
        self._door, self._share = door, share
        self.tally = Tally()
        self.stop = asyncio.Event()
        self._writing = asyncio.Lock()
        self._clearance = Clearance(database, thread())
        self._writer = thread()  # one, because each thread has memory of its own
        used = {key for channel in CHANNELS for key in desk.settings.channel(channel).providers}
        self._providers = {key: desk.settings.providers[key] for key in sorted(used)}
        self._accounts = {key: account_of(key, provider) for key, provider in self._providers.items()}
        self._places = {key: asyncio.Semaphore(provider.concurrency) for key, provider in self._providers.items()}
        self._turns = Turns(self._providers, wall, self._more_slots, self.stop)
        self._trying = {key: asyncio.Lock() for key in self._providers}
        self._busy: set[str] = set()
        self._idle = asyncio.Event()
        self._proven: set[str] = set()
        self._in_a_row: Counter[str] = Counter()
        self._glance = Glance()

    async def run(self, channels: Sequence[str] = CHANNELS) -> dict[str, Any]:
        """Counts as `automation send --json` prints them. Without channels only lost calls are looked after."""
        started = time.monotonic()
        most = sum(provider.concurrency for provider in self._providers.values())
        with self._writer, closing(self._clearance):
            gates = self._turns.gates()
            lost = await self._write(self._recover)
            async with self._door(most) as door, _together(self._turns.close_all_at_the_end()):
                self._busy = set(channels)
                works = [self._send(lost, gates, door), *(self._empty(channel, door) for channel in channels)]
                ends = await asyncio.gather(*map(self._or_stop, works), return_exceptions=True)
            if self.tally.overslept:
                await self._write(self._tell_of_downtime)
        for error in ends:
            if error is not None:
                raise error
        return self.tally.as_dict(time.monotonic() - started)

    async def _or_stop(self, work: Coroutine[Any, Any, None]) -> None:
        """Where one fails, the others begin nothing new: what is under way anywhere is finished and recorded."""
        try:
            await work
        except Exception:
            self.stop.set()
            raise

    async def _empty(self, channel: str, door: Line) -> None:
        """Send what is due on one channel."""
        under_way: set[asyncio.Task[None]] = set()
        try:
            await self._go_on(channel, door, under_way)
        finally:
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _go_on(self, channel: str, door: Line, under_way: set[asyncio.Task[None]]) -> None:
        while not self.stop.is_set():
            gates = self._turns.gates()
            prepared = await self._look(channel)
            if prepared.claimed or prepared.wait:
                self._busy.add(channel)
            if prepared.calls:
                reach("sending_committed")
                under_way.add(asyncio.create_task(self._send(prepared, gates, door)))
            if prepared.wait:
                await _until(self.stop, prepared.wait)
            elif prepared.claimed == 0 and not under_way:
                if await self._all_idle(channel):
                    return
            elif prepared.claimed == 0 or len(under_way) >= CHUNKS_AT_ONCE:
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                under_way -= done
                for task in done:
                    task.result()
        await asyncio.gather(*under_way)

    async def _look(self, channel: str) -> Prepared:
        """Whoever only looks again does not fail because the database is away for a moment."""
        if channel in self._busy:
            return await self._write(lambda connection: self._prepare(connection, channel))
        return await self._unless_away(lambda connection: self._prepare(connection, channel), Prepared())

    async def _all_idle(self, channel: str) -> bool:
        """A channel without work is looked at again while another one has work, which may be for hours."""
        self._busy.discard(channel)
        if not self._busy:
            self._idle.set()
        await _until(self._idle, LOOK_EVERY)
        return self._idle.is_set()

    def _prepare(self, connection: Connection, channel: str) -> Prepared:
        now = self.clock()
        key = fit_provider(connection, self.desk.settings, channel, now)
        if key is None:
            until = free_at(connection, self.desk.settings, channel, now)
            return Prepared(hold_all(connection, self.desk, channel, until, CLAIM, now, self.tally))
        standing = self._standing(connection, key)
        queue = ahead(standing, self._providers[key].rate, self.wall())
        if queue > AHEAD:
            return Prepared(wait=queue - AHEAD)
        sender = Sender(key, self._accounts[key], self.worker, self._limit(standing), brake(connection))
        return self._with_slots(connection, prepare(connection, self.desk, channel, sender, now, self.tally))

    def _limit(self, standing: Standing) -> int:
        """After a pause one message; until it is proven fit one call; then what the rate in force lets go."""
        if standing.paused_for:
            return 1
        provider = self._providers[standing.provider]
        calls = at_once(provider.rate, self._share_of(standing), AHEAD) if standing.proven else 1
        return max(1, min(CLAIM, int(calls * provider.batch)))

    def _share_of(self, standing: Standing) -> float:
        return max(SLOWEST, share_of(standing, self.wall()) * self._share())

    def _standing(self, connection: Connection, key: str) -> Standing:
        """What the rows say now; whether the provider is proven is remembered until they are read again."""
        standing = standing_of(connection, key)
        self._trust(standing)
        return standing

    def _trust(self, standing: Standing) -> None:
        (self._proven.add if standing.proven else self._proven.discard)(standing.provider)

    def _with_slots(self, connection: Connection, prepared: Prepared) -> Prepared:
        for key, count in Counter(call.provider for call in prepared.calls).items():
            prepared.slots[key] = self._reserve(connection, key, count)
        return prepared

    def _reserve(self, connection: Connection, key: str, calls: int) -> Sequence[datetime]:
        rate, share = self._providers[key].rate, self._share_of(standing_of(connection, key))
        return reserve(connection, key, rate, share, max(1, min(calls, int(at_once(rate, share, AHEAD)))), self.wall())

    async def _more_slots(self, key: str, calls: int) -> Sequence[datetime]:
        return await self._unless_away(lambda connection: self._reserve(connection, key, calls), ())

    async def _send(self, prepared: Prepared, gates: Mapping[str, Gate], door: Line) -> None:
        """Post the calls of one chunk; one at a time to a provider that has not proven fit."""
        waiting = list(prepared.calls)
        self._turns.join(Counter(call.provider for call in waiting), prepared.slots)
        while (call := next((one for one in waiting if one.provider not in self._proven), None)) is not None:
            waiting.remove(call)
            async with self._trying[call.provider]:
                await self._record([await self._try(call, gates[call.provider], door)])
        await self._record(await asyncio.gather(*(self._post(call, gates[call.provider], door) for call in waiting)))

    async def _try(self, call: Call, gate: Gate, door: Line) -> Posted:
        """Post it when no other worker has a call under way to this provider, which may be unfit."""
        timeout = self._providers[call.provider].timeout
        while not gate.is_closed and self._is_in_time(call):
            trial = await self._unless_away(
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
                    await self._unless_away(lambda connection: end_trial(connection, call.provider), None)
                return posted
            await gate.closes_within(LOOK_AGAIN)
        self._turns.leave(call.provider)
        return Posted(call)

    async def _post(self, call: Call, gate: Gate, door: Line) -> Posted:
        """Not posted, without a byte, is what must not go any more and what the provider turned out unfit for,
        and what has not had its turn when the worker is told to stop.
        """
        provider = self._providers[call.provider]
        adapter, account = ADAPTERS[provider.kind], self._accounts[call.provider]
        async with self._places[call.provider]:
            if not await self._turns.comes(call.provider, gate) or self.stop.is_set():
                return Posted(call)
            # The last look comes after it, so none begins after a withdrawal's commit.
            started_at, began = self.clock(), self.wall()
            if not await self._is_clear(call):
                return Posted(call)
            request = call.request or adapter.request(call.outgoing, account, call.key)
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
            self._turns.close(provider)
            self._in_a_row[provider] = 0

    async def _is_clear(self, call: Call) -> bool:
        """Nothing was taken back since it was decided, it did not wait too long for its turn, and it is still ours.
        Where nobody can say, because the database is away, nothing is posted.
        """
        try:
            number = await self._clearance.number()
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
            await self._keep(lambda connection: self._note(connection, answered))
            reach("recorded")
        if unposted:
            await self._keep(lambda connection: release(connection, unposted, self.clock()))

    async def _keep(self, work: Callable[[Connection], None]) -> None:
        """Nobody else knows what was heard, so a database that is away for a moment is asked again. Done twice, because
        the answer to the first commit got lost, it changes nothing: the rows are in flight no more.
        """
        for wait in WAITS:
            try:
                await self._write(work)
            except AWAY as error:
                log.warning("what was heard cannot be written (%s); asking again in %s s", type(error).__name__, wait)
                await asyncio.sleep(wait)
            else:
                return
        await self._write(work)

    async def _unless_away(self, work: Callable[[Connection], T], otherwise: T) -> T:
        try:
            return await self._write(work)
        except AWAY:
            return otherwise

    def _note(self, connection: Connection, answered: Sequence[Posted]) -> None:
        for standing in hear(connection, self.desk, answered, self.clock(), self.wall(), self.tally):
            self._trust(standing)

    def _recover(self, connection: Connection) -> Prepared:
        again = recover(connection, self.desk, self._accounts, self.worker, self.clock(), self.tally)
        for key in {call.provider for call in again}:
            self._standing(connection, key)
        return self._with_slots(connection, Prepared(calls=again))

    def _tell_of_downtime(self, connection: Connection) -> None:
        words = (
            f"{self.tally.overslept} messages were due for more than an hour before anybody looked, and too late then"
        )
        open_incident(connection, "expired_after_downtime", MESSAGES, words, self.clock())

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """One write transaction at a time, off the loop, so that exchanges go on meanwhile."""
        async with self._writing:
            return await asyncio.get_running_loop().run_in_executor(self._writer, self._in_transaction, work)

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        with self.database.writing() as connection:
            return work(connection)


async def _until(event: asyncio.Event, wait: timedelta) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(wait.total_seconds()):
            await event.wait()


@asynccontextmanager
async def _together(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """It goes on as long as the block, and ends with it."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
