"""Asking providers what became of messages of which nobody knows. Only what a provider has proves anything."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from automation.database.engine import Database
from automation.delivery.desk import Desk
from automation.delivery.health.pauses import paused_until
from automation.delivery.http import Door, Doors, Line
from automation.delivery.providers import ADAPTERS, Account, LookUp, account_of
from automation.delivery.recovery.unknown import ask_again, give_back, note_found, sought, take_due
from automation.delivery.replies import Answer
from automation.delivery.sought import Finding, Found, NoIdea, NotThere
from automation.errors import BadInput

log = logging.getLogger(__name__)
AT_ONCE = 100  # questions to one provider in a round, one after another
# Together less than the time in which a worker that is told to stop has to drain.
ROUND = timedelta(seconds=15)
LONGEST_WAIT = timedelta(seconds=10)


@dataclass
class LookedUp:
    """Messages that were asked about, and how many of them were found. `silent`: providers that did not answer."""

    asked: int = 0
    found: int = 0
    silent: int = 0

    def as_dict(self) -> dict[str, int]:
        return dict(vars(self))


def searched(desk: Desk) -> dict[str, tuple[LookUp, Account]]:
    """The providers that can be asked, also those that are not sent through any more."""
    found: dict[str, tuple[LookUp, Account]] = {}
    for key, provider in desk.settings.providers.items():
        adapter = ADAPTERS[provider.kind]
        with suppress(BadInput):  # one that is not in use need not have its token
            if isinstance(adapter, LookUp):
                found[key] = adapter, account_of(key, provider)
    return found


async def look_up_due(database: Database, desk: Desk, now: datetime, *, door: Doors = Door) -> LookedUp:
    """One round: each provider is asked about what is due, one after another, until one question stays unanswered."""
    told, providers = LookedUp(), searched(desk)
    async with door(max(1, len(providers))) as line:
        await asyncio.gather(
            *(_Round(database, desk, key, *providers[key], now, line, told).run() for key in providers)
        )
    return told


async def look_up_all(database: Database, desk: Desk, now: datetime) -> LookedUp:
    """Rounds until each message has been asked about, whenever its turn was to be. A provider that does not answer is
    asked no more.
    """
    told, providers = LookedUp(), searched(desk)
    with database.writing() as connection:
        for key, (adapter, _) in providers.items():
            ask_again(connection, key, adapter.looked_up_for, now)
    async with Door(max(1, len(providers))) as door:
        rounds = (_Round(database, desk, key, *providers[key], now, door, told) for key in providers)
        await asyncio.gather(*(one.run_all() for one in rounds))
    return told


@dataclass
class _Round:
    database: Database
    desk: Desk
    provider: str
    adapter: LookUp
    account: Account
    now: datetime
    door: Line
    told: LookedUp

    async def run_all(self) -> None:
        while await self.run():
            pass

    async def run(self) -> bool:
        """Whether there was something to ask, and the provider answered."""
        waiting, goes_on = list(self._take()), True
        found_some, ends = bool(waiting), time.monotonic() + ROUND.total_seconds()
        while waiting and goes_on and time.monotonic() < ends:
            goes_on = await self._ask(waiting.pop(0))
        if waiting:
            with self.database.writing() as connection:
                give_back(connection, waiting, self.now)
        return found_some and goes_on

    def _take(self) -> Sequence[Row[Any]]:
        with self.database.writing() as connection:
            if paused_until(connection, self.provider, self.now) is not None:
                return ()
            return take_due(connection, self.provider, self.adapter.looked_up_for, AT_ONCE, self.now)

    async def _ask(self, row: Row[Any]) -> bool:
        """Whether the provider answers."""
        with self.database.reading() as connection:
            wanted = sought(connection, self.desk, row)
        if wanted is None:
            return True
        self.told.asked += 1
        timeout = min(LONGEST_WAIT, self.desk.settings.providers[self.provider].timeout)
        heard = await self.door.post(self.adapter.look_up(wanted, self.account), timeout=timeout)
        finding = self.adapter.found(heard, wanted) if isinstance(heard, Answer) else NoIdea(heard.reason)
        return self._note(row, finding)

    def _note(self, row: Row[Any], finding: Finding) -> bool:
        match finding:
            case Found():
                with self.database.writing() as connection:
                    self.told.found += note_found(connection, row, finding, self.now)
            case NoIdea(reason):
                self.told.silent += 1
                log.warning("provider %s does not tell what became of messages: %s", self.provider, reason)
                return False
            case NotThere():
                pass
        return True
