"""How results are shown: readable tables, one JSON object (or JSON Lines) with --json, errors on standard error."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from automation.errors import AutomationError, BadFiles
from automation.values import instant_text

# Piped output is read by programs and by people with wide windows: rows are not broken at 80 columns.
console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def show_json(value: Any) -> None:
    """One JSON value on a line of its own."""
    sys.stdout.write(json.dumps(value, default=json_ready, ensure_ascii=False) + "\n")


def json_ready(value: Any) -> Any:
    """What JSON has no type for: instants and dates as ISO text, amounts as numbers."""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str = "") -> None:
    """A plain table; numbers to the right."""
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    rows = [[shown(cell) for cell in row] for row in rows]
    for index, column in enumerate(columns):
        numeric = all(row[index].replace(",", "").replace(".", "").lstrip("-").isdigit() for row in rows if row[index])
        table.add_column(column, justify="right" if rows and numeric else "left")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)


def show_pairs(pairs: Mapping[str, Any]) -> None:
    """Names and values, one a line."""
    width = max(map(len, pairs), default=0)
    for name, value in pairs.items():
        console.print(Text(f"{name:<{width}}  {shown(value)}"))


@contextmanager
def progress(title: str, *, of_bytes: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error while long work lasts; it is told how much is done, and how much there is."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    size = [DownloadColumn()] if of_bytes else []
    columns = (TextColumn("{task.description}"), BarColumn(), *size, TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def shown(value: Any) -> str:  # noqa: PLR0911 (a table of types reads best as one)
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {shown(one)}" for key, one in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(shown(one) for one in value)
    return str(value)


def show_error(error: AutomationError, *, as_json: bool) -> None:
    """What went wrong and the next move, on standard error; with --json also as an object there."""
    if as_json:
        problems = [vars(problem) for problem in error.problems] if isinstance(error, BadFiles) else []
        told = {"error": type(error).__name__, "message": str(error), "problems": problems}
        sys.stderr.write(json.dumps(told, ensure_ascii=False) + "\n")
        return
    errors.print(Text(str(error), style="red" if errors.is_terminal else ""))
