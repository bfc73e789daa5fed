"""A report on a terminal: its numbers with what they count, its tables, and bars beside what is to be compared."""

from collections.abc import Sequence
from decimal import Decimal
from textwrap import fill
from typing import Any

from rich.text import Text

from automation.cli.output import console, show_table, shown
from automation.reports.figures import FIGURES, Counted, Figure, Money, Report, Table

WIDTH, BAR, SHORTEST, GAP = 80, 24, 8, 3
EIGHTHS = " ▏▎▍▌▋▊▉"


def show_figures(report: Report, table: str | None = None) -> None:
    """The whole report, or one table of it."""
    tables = [one for one in report.tables if one.on_screen] if table is None else [report.table(table)]
    console.print(Text(f"{report.name}, {report.period}", style="bold"))
    if table is None:
        _say(report.about)
        for figure in report.figures.values():
            _show_figure(figure)
        console.print()
    for one in tables:
        _show_table(one)
    for note in report.notes:
        _say(f"Note: {note}")


def _show_figure(figure: Figure) -> None:
    console.print(Text(f"\n{figure.title}: {_written(figure.value)}"))
    if figure.about:
        _say(figure.about, "    ")


def _show_table(table: Table) -> None:
    rows = [[_written(cell) for cell in row] for row in table.rows]
    columns = list(table.columns)
    if table.bars is not None:
        place = columns.index(table.bars)
        drawn = bars([number(row[place]) for row in table.rows], _room(columns, rows))
        rows = [[*row, drawn[index]] for index, row in enumerate(rows)]
        columns.append("")
    show_table(columns, rows, table.title if table.name != FIGURES else "")


def _room(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """What the columns leave of a line for a bar; a wide table has short bars."""
    widths = (max(len(name), *(len(row[place]) for row in rows), 0) for place, name in enumerate(columns))
    taken = sum(width + GAP for width in widths)
    return max(SHORTEST, min(BAR, WIDTH - 2 - taken))


def bars(values: Sequence[Decimal | None], width: int = BAR) -> list[str]:
    """Lengths in proportion to the largest, in eighths of a block; of less than nothing or of nothing there is none."""
    largest = max((value for value in values if value is not None), default=Decimal())
    return [_bar(value / largest, width) if value and largest > 0 else "" for value in values]


def _bar(share: Decimal, width: int) -> str:
    eighths = max(round(share * width * 8), 1) if share > 0 else 0
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def number(cell: Any) -> Decimal | None:
    """What is drawn of a cell; amounts of several currencies cannot be drawn beside each other."""
    if isinstance(cell, Counted):
        return cell.number
    return Decimal(cell) if isinstance(cell, int | Decimal) else None


def _written(cell: Any) -> str:
    if isinstance(cell, Counted | Money):
        return str(cell)
    return f"{cell:,.2f}" if isinstance(cell, Decimal) else shown(cell)


def _say(text: str, indent: str = "") -> None:
    console.print(Text(fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent)))
