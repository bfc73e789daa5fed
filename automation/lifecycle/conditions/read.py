"""Text to a condition whose names exist and whose types fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from lark import Token, Tree

from automation.errors import BadFiles, Problem
from automation.lifecycle.conditions.condition import Condition
from automation.lifecycle.conditions.error import ConditionError
from automation.lifecycle.conditions.grammar import parse
from automation.lifecycle.conditions.operands import Item, Operands, is_value, place, type_of
from automation.lifecycle.conditions.syntax import (
    AllOf,
    AnyOf,
    Comparison,
    Days,
    Fact,
    Node,
    Op,
    Role,
    Subject,
    Value,
)
from automation.lifecycle.conditions.vocabulary import Vocabulary
from automation.tomlfile import KeyPath, TomlFile

MAX_NESTING = 20
MIRRORED: dict[Op, Op] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
ORDERED: tuple[Op, ...] = ("<", "<=", ">", ">=", "between", "not between")
OPS: dict[str, Op] = {
    "within": "in",
    "without": "not in",
    "between": "between",
    "outside": "not between",
    "is_set": "is set",
    "is_not_set": "is not set",
}


def read_condition(text: str, vocabulary: Vocabulary) -> Condition:
    """Raises ConditionError with the first thing that is wrong."""
    return Condition(text, _Reader(text, vocabulary).node(parse(text)), vocabulary)


def read_condition_in(file: TomlFile, path: KeyPath, vocabulary: Vocabulary) -> Condition:
    """The condition that is the value of a key. Raises BadFiles with the place in the file."""
    text = file.data
    for part in path:
        text = text[part]  # type: ignore[index]
    if not isinstance(text, str):
        raise BadFiles([file.problem(path, "a condition is a text", 'write one such as "orders >= 1"')])
    try:
        return read_condition(text, vocabulary)
    except ConditionError as error:
        raise BadFiles([Problem(file.name, *file.place_in(path, error.offset), error.message, error.hint)]) from None


@dataclass(frozen=True)
class _Reader:
    text: str
    vocabulary: Vocabulary

    def node(self, tree: Tree[Token], nesting: int = 0, *, negated: bool = False) -> Node:
        """The tree with every `not` taken inside: not (a and b) is (not a) or (not b)."""
        if nesting > MAX_NESTING:
            raise ConditionError(
                self.text, place(tree), f"this is nested deeper than {MAX_NESTING} times", "leave parentheses out"
            )
        match tree.data:
            case "negation" | "group":
                turned = negated != (tree.data == "negation")
                return self.node(_trees(tree)[0], nesting + 1, negated=turned)
            case "any_of" | "all_of":
                parts = tuple(self.node(part, nesting, negated=negated) for part in _trees(tree))
                if len(parts) == 1:
                    return parts[0]
                return AnyOf(parts) if (tree.data == "any_of") != negated else AllOf(parts)
        comparison = self._comparison(tree)
        return comparison.negated() if negated else comparison

    def _comparison(self, tree: Tree[Token]) -> Comparison:
        if tree.data == "bare":
            return self._bare(tree, tree.children[0])
        if tree.data == "compare":
            left, sign, right = tree.children
            op = cast("Op", "=" if sign == "==" else str(sign))
            return self._compare(tree, left, op, right)
        return self._test(tree, OPS[tree.data], *tree.children)

    def _bare(self, tree: Tree[Token], item: Item) -> Comparison:
        subject = self._operands.subject(item)
        if subject != Fact(subject.name, "boolean"):
            message = f"{self._written(item)} is {type_of(subject)}, and alone only a yes-or-no fact is a condition"
            raise self._error(item, message, "compare it with something, or ask whether it is set")
        return Comparison(self._written(tree), subject, "=", (True,))

    def _compare(self, tree: Tree[Token], left: Item, op: Op, right: Item) -> Comparison:
        if is_value(left) and is_value(right):
            raise self._error(left, "this compares two values", "one side must be a fact")
        if is_value(left):
            return self._test(tree, MIRRORED[op], right, left)
        if is_value(right):
            return self._test(tree, op, left, right)
        return self._pair(tree, left, op, right)

    def _test(self, tree: Tree[Token], op: Op, item: Item, *values: Item) -> Comparison:
        """A fact tested against values, or for being set."""
        subject = self._operands.subject(item)
        right = tuple(self._operands.value(value, item, subject) for value in values)
        self._refuse_order(item, subject, op)
        if "between" in op:
            self._refuse_empty_range(values, right)
        rule = self._written(tree)
        if isinstance(subject, Role):
            return self._role(rule, op, right)
        return Comparison(rule, subject, op, right, or_unset=op == "is not set")

    def _role(self, rule: str, op: Op, roles: Sequence[Value]) -> Comparison:
        """A test of roles as a test of the stages that have them; a stage without any role has its role not set."""
        having = {stage: set(own) for stage, own in self.vocabulary.stages.items() if own}
        if op == "is not set":
            return Comparison(rule, Role(), "not in", tuple(having), or_unset=True)
        if op == "is set":
            return Comparison(rule, Role(), "in", tuple(having))
        wanted = op in ("=", "in")
        stages = tuple(stage for stage, own in having.items() if bool(own & set(roles)) == wanted)
        return Comparison(rule, Role(), "in", stages)

    def _pair(self, tree: Tree[Token], left: Item, op: Op, right: Item) -> Comparison:
        one, other = self._operands.subject(left), self._operands.subject(right)
        for item, subject in ((left, one), (right, other)):
            if isinstance(subject, Days):
                message = f"{self._written(item)} is compared with a number only, not with another fact"
                raise self._error(item, message, "write the number of days")
            if subject.name == "stage":
                message = f"{self._written(item)} is compared with values only, not with another fact"
                raise self._error(item, message, "write the value in quotes")
        if type_of(one) != type_of(other):
            message = f"{one.name} is {type_of(one)} and {other.name} is {type_of(other)}"
            raise self._error(right, message, "compare facts of the same type")
        if one == Fact(one.name, "boolean"):
            raise self._error(left, "two yes-or-no facts cannot be compared", 'join them with "and", "or" and "not"')
        self._refuse_order(left, one, op)
        return Comparison(self._written(tree), one, op, cast("Fact", other))

    def _refuse_order(self, item: Item, subject: Subject, op: Op) -> None:
        unordered = isinstance(subject, Role) or (isinstance(subject, Fact) and subject.type in ("text", "boolean"))
        if unordered and op in ORDERED:
            message = f'{self._written(item)} is {type_of(subject)}, which has no order for "{op}"'
            raise self._error(item, message, 'use "=", "!=" or "in"')

    def _refuse_empty_range(self, items: Sequence[Item], bounds: Sequence[Value]) -> None:
        low, high = bounds
        if low > high:  # type: ignore[operator]  # both have the type of the fact, which has an order
            words = f"between {self._written(items[1])} and {self._written(items[0])}"
            raise self._error(items[0], "nothing lies in this range: its start is after its end", f'write "{words}"')

    @property
    def _operands(self) -> Operands:
        return Operands(self.text, self.vocabulary)

    def _written(self, item: Item) -> str:
        return self._operands.written(item)

    def _error(self, item: Item, message: str, suggestion: str) -> ConditionError:
        return ConditionError(self.text, place(item), message, suggestion)


def _trees(tree: Tree[Token]) -> list[Tree[Token]]:
    return [child for child in tree.children if isinstance(child, Tree)]
