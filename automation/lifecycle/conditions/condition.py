"""A condition that can be asked: of the database about everyone, or of one customer's facts."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement

from automation.lifecycle.conditions.days import Day
from automation.lifecycle.conditions.holds import Check, Facts, check, holds
from automation.lifecycle.conditions.sql import Columns, where
from automation.lifecycle.conditions.syntax import Fact, Node, comparisons
from automation.lifecycle.conditions.vocabulary import Vocabulary


@dataclass(frozen=True)
class Condition:
    """What `text` says. Its names are read through `facts` or `column`: a role is read from `stage`, a number of
    days from the instant it counts from. A fact that is not set is None, NULL or absent.
    """

    text: str
    root: Node = field(repr=False)
    vocabulary: Vocabulary = field(repr=False, compare=False)

    @property
    def names(self) -> frozenset[str]:
        """The names that are read."""
        leaves = list(comparisons(self.root))
        others = (leaf.right.name for leaf in leaves if isinstance(leaf.right, Fact))
        return frozenset((*(leaf.subject.name for leaf in leaves), *others))

    def sql(self, column: Columns, day: Day) -> ColumnElement[bool]:
        """True for exactly the customers for whom it holds, else false or NULL: for WHERE and CASE WHEN only.

        The columns' own types bind the values: aware UTC instants, Decimal, str and bool.
        """
        return where(self.root, column, day)

    def holds(self, facts: Facts, day: Day) -> bool:
        """The same for one customer. Instants are aware, numbers int, float or Decimal."""
        return holds(self.root, facts, day)

    def checks(self, facts: Facts, day: Day) -> list[Check]:
        """Every comparison with the value seen, in the order written; one inside a `not` is shown with it."""
        return [check(leaf, facts, day, self.vocabulary) for leaf in comparisons(self.root)]
