"""One run through a file: its clean rows in batches, its bad ones on their list."""

import gc
import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Generic, Self, TypeVar

from automation.customers.files import Required, open_rows
from automation.customers.records import Customer, Event, row_id
from automation.customers.rejects import Reject, Rejected, Rejects
from automation.errors import BadInput

BATCH_CHARACTERS = 8_000_000  # of attributes or properties: rows of 64 kB come in smaller batches
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
Progress = Callable[[int, int], None]
Record = TypeVar("Record", Customer, Event)


class Reading(AbstractContextManager["Reading[Record]"], Generic[Record]):
    """Opens the file and its list of rejects, and counts. Raises BadInput before anything is read.

    `clean` is `records.customer` or `records.event`; a batch has at most `at_once` rows.
    """

    def __init__(
        self, path: Path, required: Required, clean: Callable[..., Record], at_once: int, progress: Progress | None
    ) -> None:
        self.read = 0
        self._path, self._progress = path, progress
        self._clean: Callable[..., Record] = clean
        self._id_columns, self._at_once = required[0], at_once
        self._file = open_rows(path, required)
        try:
            self._rejects = Rejects(path)
        except BadInput:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        # Rows hold no cycles, and looking for some in a whole batch takes a third of the time.
        self._collects = gc.isenabled()
        gc.disable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._collects:
            gc.enable()
        self._file.close()
        self._rejects.close()

    def batches(self) -> Iterator[list[tuple[int, Record]]]:
        """Clean rows with their lines. Progress is told when the caller is done with a batch."""
        batch: list[tuple[int, Record]] = []
        characters = 0
        for row in self._records():
            batch.append(row)
            characters += len(row[1][-1])
            if len(batch) == self._at_once or characters > BATCH_CHARACTERS:
                yield batch
                batch, characters = [], 0
                gc.collect(0)
                self._report(self._file.position())
        if batch:
            yield batch
        self._report(self._file.size)

    def _records(self) -> Iterator[tuple[int, Record]]:
        clean, csv = self._clean, self._file.is_text
        try:
            for line, row in self._file.rows():
                self.read += 1
                if isinstance(row, Rejected):
                    self._rejects.add(line, row)
                    continue
                try:
                    record = clean(row, csv=csv)
                except Rejected as rejected:
                    self._rejects.add(line, rejected, row_id(row, self._id_columns))
                    continue
                yield line, record
        except DAMAGED as error:
            raise BadInput(f"{self._path} is damaged or cut off after row {self.read}: {error}") from None

    def reject(self, rejects: Iterable[Reject]) -> None:
        for line, rejected, its_id in rejects:
            self._rejects.add(line, rejected, its_id)

    @property
    def rejected(self) -> int:
        return self._rejects.count

    @property
    def rejects_file(self) -> str | None:
        return self._rejects.file

    def _report(self, position: int) -> None:
        if self._progress:
            self._progress(min(position, self._file.size), self._file.size)
