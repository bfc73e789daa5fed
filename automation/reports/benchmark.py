"""Our own figures beside those of others, which a file tells."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

from automation.errors import BadInput, suggest
from automation.reports.asked import Asked, report_of
from automation.reports.figures import Figure, Report, Share, Table, Value
from automation.reports.figures import in_words as written
from automation.reports.industry import Row, Unusable, own_number, rows_of, unread_columns
from automation.reports.lift import wilson

ABOUT = (
    "Our figures of the period beside those in the file. We are within where our figure lies from low to high. Where "
    "the file names neither, a share is within when theirs lies in its 95 % interval, so that chance may be the whole "
    "difference, and any other figure when both are the same."
)
MEASURED = ("rates", "satisfaction", "value", "delivery", "playbooks")
UNUSABLE = "{count} of the rows in {file} cannot be used; the table of problems says why."
COLUMNS = ("metric", "own", "theirs", "difference", "we are", "source", "period")
NUMBER_COLUMNS = ("metric", "own", "value", "low", "high", "difference")
Problem = tuple[int, str, str]  # the line, the metric, and what is wrong


@dataclass(frozen=True)
class Compared:
    """`number` is ours in the measure of theirs: shares in percent."""

    row: Row
    own: Value
    number: Decimal | None
    value: Decimal
    low: Decimal | None
    high: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.number is None else round(self.number - self.value, 2)

    @property
    def theirs(self) -> str:
        """`20 %`, `20 % (15 to 25)`."""
        sign = " %" if isinstance(self.own, Share) else ""
        if self.low is None and self.high is None:
            return written(self.value, 2) + sign
        return f"{written(self.value, 2)}{sign} ({written(self.low, 2)} to {written(self.high, 2)})"

    @property
    def word(self) -> str | None:
        """above, within or below; None where we have nothing to compare."""
        if self.number is None:
            return None
        low, high = self._range
        if low is not None and self.number < low:
            return "below"
        return "above" if high is not None and self.number > high else "within"

    @property
    def _range(self) -> tuple[Decimal | None, Decimal | None]:
        """Where we may lie and still be like them."""
        if self.low is not None or self.high is not None:
            return self.low, self.high
        if isinstance(self.own, Share) and self.number is not None:
            low, high = (Decimal(100 * edge) for edge in wilson(self.own))
            if low <= self.value <= high:
                return low, high
        return self.value, self.value


def report(asked: Asked) -> Report:
    """Rows that cannot be used are told, and the others compared. Raises BadInput without a file that can be read."""
    if asked.file is None:
        raise BadInput("name the file to compare with: automation report benchmark FILE")
    rows = list(rows_of(asked.file))
    own = _own_figures(asked)
    compared, problems = _told_apart(rows, own)
    tables = [
        Table("benchmark", COLUMNS, [_as_read(one) for one in compared], "Beside others"),
        Table("numbers", NUMBER_COLUMNS, [_as_numbers(one) for one in compared], on_screen=False),
        Table(
            "problems",
            ("line", "metric", "what is wrong"),
            problems,
            "Rows that cannot be used",
            on_screen=bool(problems),
        ),
    ]
    figures = {one.row.metric: own[one.row.metric] for one in compared}
    return Report("benchmark", asked.period, ABOUT, figures, tables, list(_notes(asked.file, rows, problems)))


def _own_figures(asked: Asked) -> dict[str, Figure]:
    """All that the other reports measure, by name."""
    whole = replace(asked, playbook=None)
    found = chain.from_iterable(report_of(name, whole).figures.items() for name in reversed(MEASURED))
    return dict(found)


def _told_apart(
    rows: Iterable[Row | tuple[int, str]], own: Mapping[str, Figure]
) -> tuple[list[Compared], list[Problem]]:
    compared: list[Compared] = []
    problems: list[Problem] = []
    for row in rows:
        if not isinstance(row, Row):
            problems.append((row[0], "", row[1]))
            continue
        try:
            compared.append(_compared(row, own))
        except Unusable as why:
            problems.append((row.line, row.text("metric"), str(why)))
    return compared, problems


def _compared(row: Row, own: Mapping[str, Figure]) -> Compared:
    if row.metric not in own:
        raise Unusable(f'no metric "{row.metric}"; {suggest(row.metric, own)}')
    value = own[row.metric].value
    theirs = row.number("value", value)
    if theirs is None:
        raise Unusable("value: nothing is written")
    low, high = row.number("low", value), row.number("high", value)
    if low is not None and high is not None and low > high:
        raise Unusable("low is more than high")
    return Compared(row, value, own_number(row, value), theirs, low, high)


def _as_read(one: Compared) -> tuple[Any, ...]:
    return (
        one.row.metric,
        one.own,
        one.theirs,
        one.difference,
        one.word,
        one.row.text("source"),
        one.row.text("period"),
    )


def _as_numbers(one: Compared) -> tuple[Any, ...]:
    return (one.row.metric, one.number, one.value, one.low, one.high, one.difference)


def _notes(file: Path, rows: Iterable[Any], problems: list[Problem]) -> Iterator[str]:
    first = next((row for row in rows if isinstance(row, Row)), None)
    if first is not None:
        yield from unread_columns(first)
    if problems:
        yield UNUSABLE.format(count=len(problems), file=file.name)
