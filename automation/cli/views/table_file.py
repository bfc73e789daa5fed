"""A report's table as a file: a number to a cell, so that a spreadsheet can go on working with it."""

import csv
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from automation.cli.output import json_ready
from automation.reports.figures import Counted, Money, Table
from automation.values import safe_cell


def write_table(table: Table) -> None:
    """A share is its percent and both counts, an amount a column for each currency."""
    written = csv.writer(sys.stdout, lineterminator="\n")
    parts = [list(_columns(name, cells)) for name, cells in _by_column(table)]
    written.writerow([title for columns in parts for title, _ in columns])
    for index in range(len(table.rows)):
        written.writerow([safe_cell(cells[index]) for columns in parts for _, cells in columns])


def _by_column(table: Table) -> Iterator[tuple[str, list[Any]]]:
    for index, name in enumerate(table.columns):
        yield name, [row[index] for row in table.rows]


def _columns(name: str, cells: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """What a column of the table is in the file: one column or several."""
    currencies = sorted({currency for cell in cells if isinstance(cell, Money) for currency in cell.sums})
    if any(isinstance(one, Counted) for one in cells):
        yield from _counted(name, cells)
    elif not currencies or any(not isinstance(one, Money) for one in cells):
        yield name, ["" if isinstance(one, Money) else _ready(one) for one in cells]
    for currency in currencies:
        yield f"{name} {currency}", [_ready(one.sums.get(currency)) if isinstance(one, Money) else "" for one in cells]


def _counted(name: str, cells: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """The number, then the counts that it is made of; other cells of the column stand in the first."""
    told = [one.as_dict() if isinstance(one, Counted) else {} for one in cells]
    titles = list(dict.fromkeys(key for one in told for key in one))
    numbers = [title for title in titles if title in {"percent", "score", "value"}]
    yield (f"{name} %" if numbers == ["percent"] else name), [_first(*one) for one in zip(cells, told, strict=True)]
    for title in (one for one in titles if one not in numbers):
        yield f"{name} {title}", [_ready(one.get(title)) for one in told]


def _first(cell: Any, told: dict[str, Any]) -> Any:
    if told:
        return _ready(next(iter(told.values())))
    return "" if isinstance(cell, Money) else _ready(cell)


def _ready(value: Any) -> Any:
    if value is None:
        return ""
    return value if isinstance(value, str | int) else json_ready(value)
