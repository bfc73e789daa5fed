"""The one task that tells: everything when it is due, again while nobody listens."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import httpx

from automation.delivery.http import Door, Line
from automation.delivery.replies import Answer
from automation.delivery.sandbox.mailbox import Mailbox, Taken
from automation.delivery.sandbox.telling import TELLS, sns
from automation.delivery.sandbox.telling.queue import Due, Queue
from automation.delivery.sandbox.telling.story import story
from automation.delivery.sandbox.telling.telling import Ear

log = logging.getLogger(__name__)
SEED = "sandbox"
AT_ONCE, SECONDS_AFTER_TROUBLE = 16, 1
PATIENCE = timedelta(seconds=10)
BY_TOPIC = ("aws_sms", "ses")
UNTOLD = "this vendor tells nothing of it"
DEAF = "nobody listens for this vendor"


class Teller:
    """`async with Teller(…)`: it tells meanwhile. `ears`: who listens, by kind, which may change; None: nobody will.
    `pace`: seconds take so many times as long.
    """

    def __init__(
        self, mailbox: Mailbox, ears: Mapping[str, Ear] | None, pace: float, clock: Callable[[], datetime]
    ) -> None:
        self.queue = Queue(mailbox, pace)
        self._ears = {} if ears is None else ears
        self._is_mute = ears is None
        self._pace = pace
        self._clock = clock
        self._more = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        if not self._is_mute:
            self._tasks = [asyncio.create_task(self._work())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def listens(self, kind: str) -> bool:
        return kind in self._ears and kind in TELLS

    def taken(self, number: int, message: Taken) -> None:
        """A message has this number from now on."""
        if self.listens(message.kind):
            at = datetime.fromisoformat(message.at)
            turns = story(message, SEED)
            self.queue.add(number, [(at + turn.after * self._pace, turn.outcome, turn.text) for turn in turns])
            self._more.set()

    def by_hand(self, number: int, outcome: str, text: str) -> None:
        """This becomes of that message now, whatever else does."""
        self.queue.add(number, [(self._clock(), outcome, text)])
        self._more.set()

    async def _work(self) -> None:
        async with Door(AT_ONCE) as door:
            await self._ask_for_topics(door)
            while True:
                try:
                    await self._tell_due(door)
                except sqlite3.Error:
                    log.exception("what is to be told cannot be read or written; it is tried again")
                    await asyncio.sleep(SECONDS_AFTER_TROUBLE)

    async def _tell_due(self, door: Line) -> None:
        self._more.clear()
        due = self.queue.due(self._clock(), AT_ONCE)
        await asyncio.gather(*(self._tell(door, one) for one in due))
        if not due:
            await self._rest()

    async def _rest(self) -> None:
        at = self.queue.next_due()
        wait = None if at is None else max(0.0, (at - self._clock()).total_seconds())
        try:
            async with asyncio.timeout(wait):
                await self._more.wait()
        except TimeoutError:
            pass

    async def _ask_for_topics(self, door: Line) -> None:
        """As Amazon does when a topic is subscribed to; what is told does not wait for the answer."""
        ears: Sequence[Ear] = [self._ears[kind] for kind in BY_TOPIC if kind in self._ears]
        calls = [sns.confirmation(ear, self._clock()) for ear in ears]
        await asyncio.gather(*(door.post(call, timeout=PATIENCE) for call in calls))

    async def _tell(self, door: Line, one: Due) -> None:
        request = self._request(one)
        if isinstance(request, str):
            self.queue.done(one.happened.number, request)
            return
        heard = await door.post(request, timeout=PATIENCE)
        answer = str(heard.status) if isinstance(heard, Answer) else heard.reason
        if isinstance(heard, Answer) and httpx.codes.is_success(heard.status):
            self.queue.done(one.happened.number, answer)
        else:
            self.queue.later(one, answer, self._clock())

    def _request(self, one: Due) -> httpx.Request | str:
        """Or why there is none."""
        kind = one.happened.message.kind
        if not self.listens(kind):
            return DEAF
        try:
            return TELLS[kind](one.happened, self._ears[kind]) or UNTOLD
        except Exception as error:  # a secret that this vendor cannot sign with
            log.exception("what became of a message cannot be told; check the provider's secrets")
            return f"cannot be told: {type(error).__name__}"
