"""Write transactions of a dispatch: one at a time, off the loop, so that exchanges go on meanwhile."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from automation.database.engine import Database
from automation.delivery.tally import Tally
from automation.errors import DatabaseBusy

WAITS = (0.5, 1, 2, 4, 8)  # seconds; shorter together than a worker may take to drain
AWAY = (OperationalError, InterfaceError, DatabaseBusy)
log = logging.getLogger(__name__)
T = TypeVar("T")


class Writer:
    """Its thread is one, because each thread has memory of its own. `tally` counts what it is given to do."""

    def __init__(self, database: Database, thread: Executor, tally: Tally) -> None:
        self._database, self._thread, self._tally = database, thread, tally
        self._writing = asyncio.Lock()

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._writing:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._in_transaction, work)

    async def keep(self, work: Callable[[Connection], None]) -> None:
        """Nobody else knows what was heard, so a database that is away for a moment is asked again. Done twice, because
        the answer to the first commit got lost, it changes nothing: the rows are in flight no more.
        """
        for wait in WAITS:
            try:
                await self.write(work)
            except AWAY as error:
                log.warning("what was heard cannot be written (%s); asking again in %s s", type(error).__name__, wait)
                await asyncio.sleep(wait)
            else:
                return
        await self.write(work)

    async def unless_away(self, work: Callable[[Connection], T], otherwise: T) -> T:
        """For what can be done without, while the database is away for a moment."""
        try:
            return await self.write(work)
        except AWAY:
            return otherwise

    def close(self) -> None:
        self._thread.shutdown()

    def _in_transaction(self, work: Callable[[Connection], T]) -> T:
        def counted(connection: Connection) -> T:
            with self._tally.unless_undone():
                return work(connection)

        return self._database.write(counted)
