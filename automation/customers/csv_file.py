"""Reading CSV a row at a time: a broken row is told apart from its neighbors, and memory never depends on the file."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from automation.customers.content import check_key
from automation.customers.lines import MAX_LINE, TOO_LONG, open_lines
from automation.customers.rejects import Rejected
from automation.errors import BadFiles, Problem, suggest

NUL, QUOTE = b"\0", b'"'
CELL_LIMIT = "field larger than field limit"  # what the csv module says


class CsvFile:
    """Comma-separated values in UTF-8 as RFC 4180 describes them, the first row naming the columns."""

    is_text = True

    def __init__(self, path: Path, required: tuple[tuple[str, ...], ...]) -> None:
        """Raises BadFiles when the header cannot be used."""
        self._path = path
        self._stream, self._disk = open_lines(path)
        self.size = path.stat().st_size
        self._line = 0  # how many were read
        self._offset = self._stream.tell()
        self._begin_row()
        self._restart()
        self._header = self._read_header()
        self._require(required)

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
        """Each row with the number of its first line."""
        names, width = self._header, len(self._header)
        while True:
            line = self._line + 1
            self._begin_row()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, Rejected("", f"not CSV: {error}")
                self._go_on(line, error)
                continue
            if self._too_long:
                yield line, Rejected("", TOO_LONG)
            elif len(cells) == width:
                yield line, dict(zip(names, cells, strict=True))
            elif cells:
                yield line, Rejected("", f"{len(cells)} cells, and the header has {width}: is a comma not in quotes?")

    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._disk.tell()

    def close(self) -> None:
        self._stream.close()
        self._disk.close()

    def _read_header(self) -> list[str]:
        try:
            names = [name.strip() for name in next(self._reader)]
        except StopIteration:
            raise self._problem("the file is empty", "its first line names the columns") from None
        except csv.Error as error:
            raise self._problem(f"the header is not CSV: {error}", "save the file as CSV with commas") from None
        for place, name in enumerate(names, start=1):
            try:
                check_key(name)
            except ValueError as error:
                raise self._problem(f"column {place}: {error}", "name every column, in UTF-8") from None
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise self._problem(f'two columns are named "{twice[0]}"', "rename or remove one of them")
        return names

    def _require(self, required: tuple[tuple[str, ...], ...]) -> None:
        names = self._header
        for some in required:
            if not set(some) & set(names):
                separated = len(names) == 1 and any(sign in names[0] for sign in ";\t|")
                hint = "separate the columns by commas" if separated else suggest(some[0], names)
                raise self._problem(f"no column {' or '.join(some)}", hint)

    def _problem(self, message: str, hint: str) -> BadFiles:
        self.close()
        return BadFiles([Problem(str(self._path), 1, 0, message, hint)])

    def _begin_row(self) -> None:
        self._first_line = True
        self._too_long = False
        self._quotes = 0

    def _restart(self) -> None:
        self._lines = self._read_lines()
        self._reader = csv.reader(self._lines, strict=True)

    def _read_lines(self) -> Iterator[str]:
        readline = self._stream.readline
        while raw := readline(MAX_LINE):
            self._line += 1
            self._offset += len(raw)
            if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                raw = self._shortened(raw)
            self._quotes += raw.count(QUOTE)
            if self._first_line:
                self._first_line = False
                self._second_line_at = self._offset
            # Bytes that are not UTF-8 become lone surrogates, which no value may contain.
            yield raw.decode("utf-8", "surrogateescape")

    def _shortened(self, raw: bytes) -> bytes:
        """Something short in place of a line that is too long, leaving open or closed the quotes that it would."""
        self._too_long = True
        odd = raw.count(QUOTE)
        while not raw.endswith(b"\n") and (raw := self._stream.readline(MAX_LINE)):
            self._offset += len(raw)
            odd += raw.count(QUOTE)
        if odd % 2 == 0:
            return NUL + b"\n"
        return NUL + QUOTE + b"\n" if self._quotes % 2 else QUOTE + NUL + b"\n"

    def _go_on(self, line: int, error: csv.Error) -> None:
        """After a broken row: at its second line, unless that is the inside of a cell that is only too large.

        What a customer wrote into an enormous cell must not be taken for rows.
        """
        if CELL_LIMIT in str(error) and (self._quotes % 2 == 0 or self._closes()):
            return
        self._stream.seek(self._second_line_at)
        self._line, self._offset = line, self._second_line_at
        self._restart()

    def _closes(self) -> bool:
        """Skip to the end of the open quotes; False when the file ends first: they were never meant."""
        return any(text.count('"') % 2 for text in self._lines)
