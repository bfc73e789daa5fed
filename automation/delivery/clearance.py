"""A last look before the first byte: whether anything was taken back since a call was decided."""

import asyncio
from concurrent.futures import Executor

from automation.database.brake import brake
from automation.database.engine import Database


class Clearance:
    """Many posts wait at once: one look serves all that asked before it began, and none that asked later."""

    def __init__(self, database: Database, reader: Executor) -> None:
        self._database, self._reader = database, reader
        self._next: asyncio.Future[int] | None = None
        self._looking: asyncio.Task[None] | None = None

    async def number(self) -> int:
        """The brake's number, read after this was asked for."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waited_for = self._next
        if self._looking is None:
            self._looking = asyncio.create_task(self._look())
        return await waited_for

    async def _look(self) -> None:
        try:
            while (asked := self._next) is not None:
                self._next = None
                try:
                    found = await asyncio.get_running_loop().run_in_executor(self._reader, self._read)
                except Exception as error:  # noqa: BLE001 (whoever asked must hear of it, whatever it is)
                    asked.set_exception(error)
                else:
                    asked.set_result(found)
        finally:
            self._looking = None

    def _read(self) -> int:
        with self._database.reading() as connection:
            return brake(connection)

    def close(self) -> None:
        self._reader.shutdown()
