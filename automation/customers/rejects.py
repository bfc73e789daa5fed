"""Rows that cannot be used: why, and the file that lists them next to the one imported."""

import csv
from pathlib import Path
from typing import TextIO

from automation.errors import BadInput

HEADER = ("line", "column", "reason", "id")
# A spreadsheet runs a cell that begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")
LONGEST_CELL = 300


class Rejected(Exception):
    """This row is left out. `column` is its name in the file, or empty when the row as a whole is unusable."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column, self.reason = column, reason


Reject = tuple[int, Rejected, str]  # the line, why, and the row's id


class Rejects:
    """`<file>.rejects.csv`, rewritten by each run and removed when nothing was rejected."""

    def __init__(self, imported: Path) -> None:
        """Raises BadInput when the folder cannot be written to."""
        self.path = imported.with_name(imported.name + ".rejects.csv")
        self.count = 0
        self._file = self._open()
        self._cells = csv.writer(self._file, lineterminator="\n")
        self._cells.writerow(HEADER)

    def _open(self) -> TextIO:
        try:
            # What is not UTF-8 in the imported file is shown as an escape.
            return self.path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        except OSError as error:
            raise BadInput(
                f"{self.path} cannot be written ({error.strerror}); rejected rows are listed there: "
                "make its folder writable or copy the file to one that is"
            ) from None

    def add(self, line: int, rejected: Rejected, row_id: str = "") -> None:
        self.count += 1
        self._cells.writerow([line, *map(_shown, (rejected.column, rejected.reason, row_id))])

    def close(self) -> None:
        self._file.close()
        if not self.count:
            self.path.unlink(missing_ok=True)

    @property
    def file(self) -> str | None:
        """The file's name, or None when there are no rejects."""
        return str(self.path) if self.count else None


def _shown(cell: str) -> str:
    short = cell if len(cell) <= LONGEST_CELL else cell[:LONGEST_CELL] + "…"
    return "'" + short if short.startswith(FORMULA) else short
