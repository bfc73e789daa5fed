"""The send log as a file of its own: CSV that is safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from automation.delivery.answers.history import LOG_KEYS
from automation.values import safe_cell

LINES = 200  # handed on together


def csv_lines(rows: Iterable[Mapping[str, Any]], keys: Sequence[str] = LOG_KEYS) -> Iterator[str]:
    """Some lines at a time, the names of the columns first, however long the log is."""
    part = io.StringIO()
    written = csv.writer(part)  # with the line ends of RFC 4180, so that a cell with one of them is quoted
    written.writerow(keys)
    for number, row in enumerate(rows, start=1):
        written.writerow([safe_cell(row[key]) for key in keys])
        if number % LINES == 1:  # the first at once: whoever waits sees that it comes
            yield part.getvalue()
            part.seek(0)
            part.truncate()
    yield part.getvalue()
