"""A rule as data, the scan that looks for rows which break it, and what is told of such a row."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

PAGE = 1000  # rows in memory at once, however many break a rule
# Columns that say whose row it is; the others only fill in the sentence.
ABOUT = ("message_id", "enrollment_id", "customer_id", "playbook", "version_id", "pool", "date")


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept: which, of whom, and one sentence. No sentence has an address or a code in it."""

    invariant: str
    about: Mapping[str, Any]
    told: str

    def as_dict(self) -> dict[str, Any]:
        """As `automation verify --json` lists it."""
        return {"invariant": self.invariant, **self.about, "told": self.told}


@dataclass(frozen=True)
class Rule:
    """`broken` is SQL that is true of a row which breaks the rule; `told` is filled in with the row's columns."""

    invariant: str
    broken: str
    told: str


@dataclass(frozen=True)
class Scan:
    """One pass over the rows of `source` for all rules at once. `:first` and `:last` bind the part's shards."""

    columns: str
    source: str
    where: str
    rules: Sequence[Rule]

    @property
    def sql(self) -> str:
        flags = ", ".join(f"CASE WHEN {rule.broken} THEN 1 ELSE 0 END AS rule_{n}" for n, rule in enumerate(self.rules))
        some = " OR ".join(f"({rule.broken})" for rule in self.rules)
        return f"SELECT {self.columns}, {flags} FROM {self.source} WHERE {self.where} AND ({some})"


def broken_by(connection: Connection, scan: Scan, bound: Mapping[str, Any]) -> Iterator[Violation]:
    """The violations that a scan finds, as a stream."""
    rows = connection.execute(text(scan.sql), bound, execution_options={"yield_per": PAGE})
    for row in rows.mappings():
        for number, rule in enumerate(scan.rules):
            if row[f"rule_{number}"]:
                yield violation(rule.invariant, rule.told, row)


def violation(invariant: str, told: str, row: Mapping[Any, Any]) -> Violation:
    about = {name: row[name] for name in ABOUT if name in row and row[name] is not None}
    plain = {name: one if isinstance(one, int) else str(one) for name, one in about.items()}
    return Violation(invariant, plain, told.format(**row))
