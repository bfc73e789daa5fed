"""Figures of others, out of a CSV file.

Columns: `metric` and `value`; `unit`, `low`, `high`, `source` and `period` where they are known. A share is written
`20 %`, or 20 with `percent` as its unit; without either it is a fraction from 0 to 1, `0.2`. Nothing is guessed: a
bare 20 is refused. Money has its currency as the unit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from automation.customers.csv_file import CsvFile
from automation.customers.rejects import Rejected
from automation.errors import suggest
from automation.reports.figures import Money, Share, Value

COLUMNS = ("metric", "value", "unit", "low", "high", "source", "period")
PERCENT = frozenset({"percent", "%"})
NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(%?)")
BARE_SHARE = 'a share is written "20 %" or, as a fraction, "0.2"'


class Unusable(Exception):
    """This row cannot be compared with anything; says why."""


@dataclass(frozen=True)
class Row:
    """As it is written, with the number of its line."""

    line: int
    cells: Mapping[str, str]

    @property
    def metric(self) -> str:
        """`Open rate` is `open_rate`."""
        return re.sub(r"[\s-]+", "_", self.cells["metric"].strip().lower())

    def text(self, column: str) -> str:
        return (self.cells.get(column) or "").strip()

    def number(self, column: str, own: Value) -> Decimal | None:
        """In the measure of our own value: shares in percent. None where nothing is written. Raises Unusable."""
        written = self.text(column)
        if not written:
            return None
        found = NUMBER.fullmatch(written)
        if found is None:
            raise Unusable(f'{column}: "{written}" is no number; write one like 20.5')
        number, percent = Decimal(found[1]), found[2] or self._is_percent
        if isinstance(own, Share):
            return number if percent else _of_fraction(column, number)
        if percent:
            raise Unusable(f"{column}: {self.metric} is no share; leave out the percent sign")
        return number

    @property
    def _is_percent(self) -> bool:
        return self.text("unit").lower() in PERCENT


def rows_of(path: Path) -> Iterator[Row | tuple[int, str]]:
    """Each row, or its line and why it cannot be read. Raises BadInput for a file or a header that cannot be used."""
    file = CsvFile(path, (("metric",), ("value",)))
    try:
        for line, found in file.rows():
            yield (line, str(found)) if isinstance(found, Rejected) else Row(line, found)
    finally:
        file.close()


def unread_columns(row: Row) -> list[str]:
    """What is said about columns that mean nothing here."""
    return [f'The column "{name}" is not read; {suggest(name, COLUMNS)}.' for name in row.cells if name not in COLUMNS]


def own_number(row: Row, own: Value) -> Decimal | None:
    """What is compared; of money the sum in the row's currency. Raises Unusable."""
    if isinstance(own, Money):
        currency = row.text("unit").upper()
        if not currency:
            raise Unusable(f"{row.metric} is money; say its currency in the column unit")
        return own.sums.get(currency)
    found: Any = own
    return Decimal(found) if isinstance(own, int | Decimal) else getattr(found, "number", None)


def _of_fraction(column: str, number: Decimal) -> Decimal:
    if not 0 <= number <= 1:
        raise Unusable(f'{column}: "{number}" is no fraction; {BARE_SHARE}')
    return 100 * number
