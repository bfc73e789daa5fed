"""What a report consists of. A rate is never without the counts it is made of, an amount never without its currency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from automation.errors import BadInput, suggest
from automation.reports.period import Period

NONE = "none"
FIGURES = "figures"


@dataclass(frozen=True)
class Share:
    """`part` of `whole` customers, messages or whatever is counted."""

    part: int
    whole: int

    @property
    def number(self) -> Decimal | None:
        """In percent, unrounded; None of nothing."""
        return Decimal(100 * self.part) / self.whole if self.whole else None

    percent = number

    def as_dict(self) -> dict[str, Any]:
        return {"percent": rounded(self.number), "part": self.part, "of": self.whole}

    def __str__(self) -> str:
        return f"{in_words(self.number)}{' %' if self.whole else ''} ({self.part:,} of {self.whole:,})"


@dataclass(frozen=True)
class Net:
    """More of one kind than of the other, in points of a hundred: the Net Promoter Score."""

    plus: int
    minus: int
    whole: int

    @property
    def number(self) -> Decimal | None:
        """From -100 to 100; None of nothing."""
        return Decimal(100 * (self.plus - self.minus)) / self.whole if self.whole else None

    def as_dict(self) -> dict[str, Any]:
        return {"score": rounded(self.number), "plus": self.plus, "minus": self.minus, "of": self.whole}

    def __str__(self) -> str:
        sign = "+" if self.number is not None and self.number > 0 else ""
        return f"{sign}{in_words(self.number)} ({self.plus:,} less {self.minus:,} of {self.whole:,})"


@dataclass(frozen=True)
class Ratio:
    """`part` for each of `whole`, where the one is no portion of the other."""

    part: int
    whole: int

    @property
    def number(self) -> Decimal | None:
        return Decimal(self.part) / self.whole if self.whole else None

    def as_dict(self) -> dict[str, Any]:
        return {"value": rounded(self.number, 2), "part": self.part, "of": self.whole}

    def __str__(self) -> str:
        return f"{in_words(self.number, 2)} ({self.part:,} to {self.whole:,})"


@dataclass(frozen=True)
class Average:
    """A mean or a median of `whole` values; None of nothing."""

    number: Decimal | None
    whole: int

    def as_dict(self) -> dict[str, Any]:
        return {"value": rounded(self.number, 2), "of": self.whole}

    def __str__(self) -> str:
        return f"{in_words(self.number, 2)} (of {self.whole:,})"


@dataclass(frozen=True)
class Money:
    """Sums by currency, which are never added to each other."""

    sums: Mapping[str, Decimal] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return dict(self.sums)

    def __str__(self) -> str:
        return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(self.sums.items())) or NONE


Counted = Share | Net | Ratio | Average
Value = Counted | Money | Decimal | int | None


@dataclass(frozen=True)
class Figure:
    """One number with its name, and in a plain sentence what is counted."""

    title: str
    value: Value
    about: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"title": self.title, **plain(self.value), "about": self.about}


@dataclass(frozen=True)
class Table:
    """`bars` names the column that is drawn, if any is; a table that is too long for a screen is only for files."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    bars: str | None = None
    on_screen: bool = True

    def as_list(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, map(_cell, row), strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Report:
    """`figures` by the names that a benchmark compares; the first table is the main one."""

    name: str
    period: Period
    about: str
    figures: Mapping[str, Figure] = field(default_factory=dict)
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()

    @property
    def all_tables(self) -> list[Table]:
        """The main one first; the figures are a table as well."""
        rows = [(one.title, one.value, one.about) for one in self.figures.values()]
        return [*self.tables, Table(FIGURES, ("figure", "value", "what is counted"), rows)]

    def table(self, name: str | None = None) -> Table:
        """The main one, or by name. Raises BadInput."""
        found = {table.name: table for table in self.all_tables}
        if name is not None and name not in found:
            raise BadInput(f'the report {self.name} has no table "{name}"; {suggest(name, found)}')
        return found[name] if name is not None else self.all_tables[0]

    def as_dict(self) -> dict[str, Any]:
        """As `automation report --json` prints it."""
        return {
            "report": self.name,
            "since": self.period.since,
            "until": self.period.until,
            "about": self.about,
            "figures": {key: figure.as_dict() for key, figure in self.figures.items()},
            "tables": {table.name: table.as_list() for table in self.tables},
            "notes": list(self.notes),
        }


def plain(value: Value) -> dict[str, Any]:
    """A value as JSON has it: what it is made of by name."""
    if isinstance(value, Money):
        return {"sums": value.as_dict()}
    return value.as_dict() if isinstance(value, Counted) else {"value": value}


def rounded(number: Decimal | None, digits: int = 1) -> Decimal | None:
    return None if number is None else round(number, digits)


def in_words(number: Decimal | None, digits: int = 1) -> str:
    """`20`, `20.5`, or `none`."""
    return NONE if number is None else f"{round(number, digits):,f}".removesuffix("." + "0" * digits)


def _cell(cell: Any) -> Any:
    return cell.as_dict() if isinstance(cell, Counted | Money) else cell
