"""A condition whose names and types are right: every `not` is already inside the comparisons."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from automation.customers.fact_types import FactType

Value = Decimal | str | bool | date
Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "not between", "is set", "is not set"]

INVERSE: dict[Op, Op] = {
    "=": "!=",
    "<": ">=",
    ">": "<=",
    "in": "not in",
    "between": "not between",
    "is set": "is not set",
}
INVERSE |= {inverse: op for op, inverse in INVERSE.items()}


@dataclass(frozen=True)
class Fact:
    """A stored value."""

    name: str
    type: FactType


@dataclass(frozen=True)
class Days:
    """The whole calendar days since or until the instant stored under `name`."""

    name: str
    until: bool = False


@dataclass(frozen=True)
class Role:
    """The roles of the stage the customer stands in; compared by the keys of the stages that have them."""

    name: str = "stage"


Subject = Fact | Days | Role


@dataclass(frozen=True)
class Comparison:
    """One comparison with values or with another fact of the same type.

    A fact that is not set makes it false, and true when `or_unset`, which is how `not` changes it. `rule` is the
    comparison as it was written.
    """

    rule: str
    subject: Subject
    op: Op
    right: tuple[Value, ...] | Fact = ()
    or_unset: bool = False

    @property
    def about_days(self) -> bool:
        """Whether an instant is compared by its calendar date, and so by intervals of instants."""
        dates = isinstance(self.subject, Days) or self.subject == Fact(self.subject.name, "instant")
        return dates and isinstance(self.right, tuple) and bool(self.right)

    def negated(self) -> "Comparison":
        return replace(self, rule=f"not {self.rule}", op=INVERSE[self.op], or_unset=not self.or_unset)


@dataclass(frozen=True)
class AllOf:
    parts: tuple["Node", ...]


@dataclass(frozen=True)
class AnyOf:
    parts: tuple["Node", ...]


Node = AllOf | AnyOf | Comparison


def comparisons(node: Node) -> Iterator[Comparison]:
    """The comparisons, in the order in which they were written."""
    if isinstance(node, Comparison):
        yield node
        return
    for part in node.parts:
        yield from comparisons(part)
