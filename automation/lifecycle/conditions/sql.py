"""A condition as SQL: simple comparisons of columns with bind parameters, for an index to use."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, and_, false, literal, or_

from automation.lifecycle.conditions.days import Day, Interval, intervals
from automation.lifecycle.conditions.operators import ORDER
from automation.lifecycle.conditions.syntax import AllOf, AnyOf, Comparison, Fact, Node

Columns = Callable[[str], ColumnElement[Any]]


def where(node: Node, column: Columns, day: Day) -> ColumnElement[bool]:
    """True exactly for the customers for whom the condition holds; for the others false or NULL.

    NULL is as good as false in WHERE and in CASE WHEN, and nowhere else: do not negate it.
    """
    match node:
        case AllOf(parts):
            return and_(*(where(part, column, day) for part in parts))
        case AnyOf(parts):
            return or_(*(where(part, column, day) for part in parts))
        case Comparison():
            stored = column(node.subject.name)
            unset = [stored.is_(None)] if node.or_unset else []
            if node.or_unset and isinstance(node.right, Fact):
                unset.append(column(node.right.name).is_(None))
            return or_(_comparison(node, stored, column, day), *unset)


def _comparison(node: Comparison, stored: ColumnElement[Any], column: Columns, day: Day) -> ColumnElement[bool]:
    if node.op == "is set":
        return stored.is_not(None)
    if node.op == "is not set":
        return false()
    if isinstance(node.right, Fact):
        return _compared(node.op, stored, column(node.right.name))
    if node.about_days:
        return or_(false(), *(_inside(interval, stored) for interval in intervals(node, day)))
    return _compared(node.op, stored, *(literal(value, stored.type) for value in node.right))


def _inside(interval: Interval, stored: ColumnElement[Any]) -> ColumnElement[bool]:
    start, end = interval
    bounds = [] if start is None else [stored >= literal(start, stored.type)]
    bounds += [] if end is None else [stored < literal(end, stored.type)]
    return and_(*bounds) if bounds else stored.is_not(None)


def _compared(op: str, stored: ColumnElement[Any], *right: ColumnElement[Any]) -> ColumnElement[bool]:
    compared: ColumnElement[bool]
    match op:
        case "in":
            compared = stored.in_(right)
        case "not in":
            compared = stored.not_in(right)
        case "between":
            compared = and_(stored >= right[0], stored <= right[1])
        case "not between":
            compared = or_(stored < right[0], stored > right[1])
        case _:
            compared = ORDER[op](stored, *right)
    return compared
