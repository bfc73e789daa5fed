"""The loop: prepare what is due, post it, record what was heard."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from automation.clock import wall_clock
from automation.database.brake import brake
from automation.database.engine import Database
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.alerts.watch import MESSAGES
from automation.delivery.calls import Sender
from automation.delivery.clearance import Clearance
from automation.delivery.desk import Desk
from automation.delivery.health.pace import CLAIM, Pace
from automation.delivery.health.pauses import fit_provider, free_at
from automation.delivery.http import Door, Doors, Line
from automation.delivery.outcomes.answers import answer_texts
from automation.delivery.posting import Posting
from automation.delivery.prepare import Prepared, hold_all, prepare
from automation.delivery.providers import account_of
from automation.delivery.recovery.recover import recover
from automation.delivery.tally import Tally
from automation.delivery.writer import Writer
from automation.faultpoints import reach

CHANNELS = ("email", "sms")
CHUNKS_AT_ONCE = 2  # one is prepared while another is under way
LOOK_EVERY = timedelta(seconds=1)  # at a channel on which nothing was due, while another one is busy
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
        self.desk, self.clock, self.worker = desk, clock, worker
        self.tally = Tally()
        self.stop = asyncio.Event()
        used = {key for channel in CHANNELS for key in desk.settings.channel(channel).providers}
        providers = {key: desk.settings.providers[key] for key in sorted(used)}
        self._accounts = {
            key: account_of(key, provider, desk.settings.callback_url(key)) for key, provider in providers.items()
        }
        self._door, self._most = door, sum(provider.concurrency for provider in providers.values())
        self._clearance, self._writer = Clearance(database, thread()), Writer(database, thread(), self.tally)
        self._pace = Pace(providers, wall, share)
        self.posting = Posting(
            desk,
            worker,
            clock,
            wall,
            self.stop,
            providers,
            self._accounts,
            self._writer,
            self._clearance,
            self._pace,
            self.tally,
        )
        self._busy: set[str] = set()
        self._idle = asyncio.Event()

    async def run(self, channels: Sequence[str] = CHANNELS) -> dict[str, Any]:
        """Counts as `automation send --json` prints them. Without channels only lost calls are looked after."""
        started = time.monotonic()
        turns = self.posting.turns
        with closing(self._writer), closing(self._clearance):
            gates = turns.gates()
            await self._writer.write(self._answer_texts)
            lost = await self._writer.write(self._recover)
            async with self._door(self._most) as door, _together(turns.close_all_at_the_end()):
                self._busy = set(channels)
                works = [
                    partial(self.posting.send, lost, gates, door),
                    *(partial(self._empty, one, door) for one in channels),
                ]
                ends = await asyncio.gather(*map(self._or_stop, works), return_exceptions=True)
            if self.tally.overslept:
                await self._writer.write(self._tell_of_downtime)
        for error in ends:
            if error is not None:
                raise error
        return self.tally.as_dict(time.monotonic() - started)

    async def _or_stop(self, work: Callable[[], Awaitable[None]]) -> None:
        """Where one fails, the others begin nothing new: what is under way anywhere is finished and recorded."""
        try:
            await work()
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
            gates = self.posting.turns.gates()
            prepared = await self._look(channel)
            if prepared.claimed or prepared.wait:
                self._busy.add(channel)
            if prepared.calls:
                reach("sending_committed")
                under_way.add(asyncio.create_task(self.posting.send(prepared, gates, door)))
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
            return await self._writer.write(lambda connection: self._prepare(connection, channel))
        return await self._writer.unless_away(lambda connection: self._prepare(connection, channel), Prepared())

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
        standing = self._pace.standing(connection, key)
        if wait := self._pace.wait(standing):
            return Prepared(wait=wait)
        sender = Sender(key, self._accounts[key], self.worker, self._pace.limit(standing), brake(connection))
        return self._with_slots(connection, prepare(connection, self.desk, channel, sender, now, self.tally))

    def _with_slots(self, connection: Connection, prepared: Prepared) -> Prepared:
        prepared.slots.update(self._pace.slots(connection, (call.provider for call in prepared.calls)))
        return prepared

    def _answer_texts(self, connection: Connection) -> None:
        """Those that ask for help are answered with what is due now."""
        answer_texts(connection, self.desk, self.clock())

    def _recover(self, connection: Connection) -> Prepared:
        again = recover(connection, self.desk, self._accounts, self.worker, self.clock(), self.tally)
        for key in {call.provider for call in again}:
            self._pace.standing(connection, key)
        return self._with_slots(connection, Prepared(calls=again))

    def _tell_of_downtime(self, connection: Connection) -> None:
        words = (
            f"{self.tally.overslept} messages were due for more than an hour before anybody looked, and too late then"
        )
        open_incident(connection, "expired_after_downtime", MESSAGES, words, self.clock())


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
