"""A condition in plain Python, for one customer whose facts are at hand, and what to say about each of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from automation.lifecycle.conditions.days import Day, intervals
from automation.lifecycle.conditions.operators import ORDER
from automation.lifecycle.conditions.syntax import AllOf, AnyOf, Comparison, Days, Fact, Node, Role
from automation.lifecycle.conditions.vocabulary import Vocabulary
from automation.values import instant_text

Facts = Mapping[str, Any]
Seen = str | int | float | bool | None


@dataclass(frozen=True)
class Check:
    """One comparison, the customer's value and whether it held. A fact that is not set has the value None."""

    rule: str
    value: Seen
    passed: bool


def holds(node: Node, facts: Facts, day: Day) -> bool:
    match node:
        case AllOf(parts):
            return all(holds(part, facts, day) for part in parts)
        case AnyOf(parts):
            return any(holds(part, facts, day) for part in parts)
        case Comparison():
            return _comparison(node, facts, day)


def check(node: Comparison, facts: Facts, day: Day, vocabulary: Vocabulary) -> Check:
    return Check(node.rule, _seen(node, facts, day, vocabulary), _comparison(node, facts, day))


def _comparison(node: Comparison, facts: Facts, day: Day) -> bool:
    value = _exact(facts.get(node.subject.name))
    right = (facts.get(node.right.name),) if isinstance(node.right, Fact) else node.right
    if value is None or None in right:
        return node.or_unset
    if node.about_days:
        return any(value in interval for interval in intervals(node, day))
    return _compared(node.op, value, *map(_exact, right))


def _compared(op: str, value: Any, *right: Any) -> bool:
    match op:
        case "is set" | "is not set":
            return op == "is set"
        case "in" | "not in":
            return (value in right) == (op == "in")
        case "between" | "not between":
            return bool(right[0] <= value <= right[1]) == (op == "between")
        case _:
            return bool(ORDER[op](value, *right))


def _exact(value: Any) -> Any:
    """Numbers as decimals: a float means the shortest decimal that is written like it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Decimal(str(value))
    return value


def _seen(node: Comparison, facts: Facts, day: Day, vocabulary: Vocabulary) -> Seen:
    value = facts.get(node.subject.name)
    if isinstance(node.subject, Role):
        return ", ".join(vocabulary.stages.get(value or "", ())) or None
    if isinstance(node.right, Fact):
        pair = (_shown(value), _shown(facts.get(node.right.name)))
        return " and ".join("not set" if one is None else str(one) for one in pair)
    if isinstance(node.subject, Days) and value is not None:
        days = day.days_since(value)
        return -days if node.subject.until else days
    return _shown(value)


def _shown(value: Any) -> Seen:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return instant_text(value)
    shown: Seen = value
    return shown
