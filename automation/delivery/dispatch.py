"""The loop: prepare what is due, post it, record what was heard."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from pyrate_limiter import Limiter, Rate
from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from automation.customers.suppress import suppress_address, touch_one, withdraw_consent
from automation.database.brake import brake
from automation.database.engine import Database
from automation.delivery.calls import Call, Sender
from automation.delivery.clearance import Clearance
from automation.delivery.desk import Desk
from automation.delivery.health.pauses import fit_provider, free_at
from automation.delivery.health.trouble import Trouble
from automation.delivery.http import Door, Doors, Line
from automation.delivery.ledger import release
from automation.delivery.prepare import Prepared, hold_all, prepare
from automation.delivery.providers import ADAPTERS, account_of
from automation.delivery.providers.classify import from_failure
from automation.delivery.record import record
from automation.delivery.recovery.recover import recover
from automation.delivery.replies import Answer, Refused, Reply
from automation.delivery.settle import Heard, settle
from automation.delivery.tally import Tally
from automation.errors import DatabaseBusy
from automation.faultpoints import reach
from automation.settings import Provider

CHANNELS = ("email", "sms")
CHUNKS_AT_ONCE = 2  # one is prepared while another is under way
SECONDS_OF_WORK = 10  # claim no more than the provider's rate lets go in this time
CLAIM = 500
WAITS = (0.5, 1, 2, 4, 8)  # seconds; shorter together than a worker may take to drain
AWAY = (OperationalError, InterfaceError, DatabaseBusy)
log = logging.getLogger(__name__)
T = TypeVar("T")
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Posted:
    """A call with its replies, one a message; without any it was not posted."""

    call: Call
    replies: Sequence[Reply] = ()
    started_at: datetime | None = None

    @property
    def heard(self) -> Iterator[Heard]:
        """What each row is told. The attempt began when its turn had come, not when it was decided."""
        for flight, reply, resend in zip(self.call.flights, self.replies, self.call.resend, strict=True):
            began = replace(flight, started_at=self.started_at or flight.started_at)
            yield Heard(began, reply, resend, self.call.key_until)


def one_thread() -> Executor:
    return ThreadPoolExecutor(1)


class Dispatch:
    """One dispatch: everything that is due, until nothing is, or until `stop` is set."""

    def __init__(
        self,
        database: Database,
        desk: Desk,
        clock: Clock,
        worker: str,
        *,
        door: Doors = Door,
        thread: Callable[[], Executor] = one_thread,
        share: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self.database, self.desk, self.clock, self.worker = database, desk, clock, worker
        self._door, self._share = door, share
        self.tally = Tally()
        self.stop = asyncio.Event()
        self._trouble = Trouble()
        self._writing = asyncio.Lock()
        self._clearance = Clearance(database, thread())
        self._writer = thread()  # one, because each thread has memory of its own
        used = {key for channel in CHANNELS for key in desk.settings.channel(channel).providers}
        self._providers = {key: desk.settings.providers[key] for key in sorted(used)}
        self._accounts = {key: account_of(key, provider) for key, provider in self._providers.items()}
        self._limiters = {key: _limiter(provider) for key, provider in self._providers.items()}
        self._places = {key: asyncio.Semaphore(provider.concurrency) for key, provider in self._providers.items()}

    async def run(self, channels: Sequence[str] = CHANNELS) -> dict[str, Any]:
        """Counts as `automation send --json` prints them. Without channels only lost calls are looked after."""
        started = time.monotonic()
        most = sum(provider.concurrency for provider in self._providers.values())
        with self._writer, closing(self._clearance):
            lost = await self._write(self._recover)
            async with self._door(most) as door:
                works = [self._send(lost, door), *(self._empty(channel, door) for channel in channels)]
                ends = await asyncio.gather(*map(self._or_stop, works), return_exceptions=True)
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
            prepared = await self._write(lambda connection: self._prepare(connection, channel))
            if prepared.calls:
                reach("sending_committed")
                under_way.add(asyncio.create_task(self._send(prepared.calls, door)))
            if prepared.claimed == 0 and not under_way:
                return
            if prepared.claimed == 0 or len(under_way) >= CHUNKS_AT_ONCE:
                done, _ = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                under_way -= done
                for task in done:
                    task.result()
        await asyncio.gather(*under_way)

    def _prepare(self, connection: Connection, channel: str) -> Prepared:
        now = self.clock()
        self._trouble.unfit.clear()  # who is fit now is what the rows say
        key = fit_provider(connection, self.desk.settings, channel, now)
        if key is None:
            until = free_at(connection, self.desk.settings, channel, now)
            return Prepared(hold_all(connection, self.desk, channel, until, CLAIM, now, self.tally))
        sender = Sender(key, self._accounts[key], self.worker, self._limit(key), brake(connection))
        return prepare(connection, self.desk, channel, sender, now, self.tally)

    def _limit(self, key: str) -> int:
        provider = self._providers[key]
        calls = self._share() * SECONDS_OF_WORK * provider.rate.amount / provider.rate.period.total_seconds()
        return max(1, min(CLAIM, int(calls * provider.batch)))

    async def _send(self, calls: Sequence[Call], door: Line) -> None:
        """Post the calls of one chunk; until a provider has taken something, one at a time."""
        waiting = list(calls)
        while waiting and waiting[0].provider not in self._trouble.proven:
            call = waiting.pop(0)
            await self._record([await self._post(call, door)])
        await self._record(await asyncio.gather(*(self._post(call, door) for call in waiting)))

    async def _post(self, call: Call, door: Line) -> Posted:
        """Not posted, without a byte, is what must not go any more and what the provider turned out unfit for,
        and what has not had its turn when the worker is told to stop.
        """
        provider = self._providers[call.provider]
        adapter, account = ADAPTERS[provider.kind], self._accounts[call.provider]
        async with self._places[call.provider]:
            await self._limiters[call.provider].try_acquire_async(call.provider)
            started_at = self.clock()  # the last look comes after it, so none begins after a withdrawal's commit
            if self.stop.is_set() or call.provider in self._trouble.unfit or not await self._is_clear(call):
                return Posted(call)
            request = call.request or adapter.request(call.outgoing, account, call.key)
            heard = await door.post(request, timeout=provider.timeout)
        if isinstance(heard, Answer):
            return Posted(call, adapter.replies(heard, call.outgoing, self.clock()), started_at)
        return Posted(call, [from_failure(heard)] * len(call.outgoing), started_at)

    async def _is_clear(self, call: Call) -> bool:
        """Nothing was taken back since it was decided, and it did not wait too long for its turn. Where nobody can say,
        because the database is away, nothing is posted.
        """
        try:
            number = await self._clearance.number()
        except AWAY:
            return False
        return number == call.brake and self.clock() <= call.good_until

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

    def _note(self, connection: Connection, answered: Sequence[Posted]) -> None:
        now = self.clock()
        record(connection, self.desk, [settle(heard, now) for one in answered for heard in one.heard], now, self.tally)
        for one in answered:
            self._trouble.note(connection, one.call.provider, one.replies, now)
            self._learn(connection, one.call, one.replies, now)
        reach("recording")

    def _learn(self, connection: Connection, call: Call, replies: Sequence[Reply], now: datetime) -> None:
        """A refusal that proves something about the address or the person is kept."""
        for reply, message, (shard, customer_id) in zip(replies, call.outgoing, call.customers, strict=True):
            if not isinstance(reply, Refused) or reply.suppress is None:
                continue
            if reply.suppress == "unsubscribed":
                withdraw_consent(connection, shard, customer_id, message.channel, call.provider, "provider", now)
            suppress_address(connection, message.channel, message.recipient, reply.suppress, call.provider, now)
            touch_one(connection, shard, customer_id)

    def _recover(self, connection: Connection) -> list[Call]:
        return recover(connection, self.desk, self._accounts, self.worker, self.clock(), self.tally)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        """One write transaction at a time, off the loop, so that exchanges go on meanwhile."""
        async with self._writing:
            return await asyncio.get_running_loop().run_in_executor(self._writer, self._in_transaction, work)

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        with self.database.writing() as connection:
            return work(connection)


def _limiter(provider: Provider) -> Limiter:
    """Calls in a sliding period. (The library counts whole calls.)"""
    amount, period = provider.rate
    scale = 1 if amount >= 1 else 1 / amount
    return Limiter(Rate(max(1, int(amount * scale)), int(period.total_seconds() * 1000 * scale)))
