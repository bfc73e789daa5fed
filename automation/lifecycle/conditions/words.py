"""A condition in plain words, for whoever does not write conditions: `days_since(last_order) > 120` is
"last order more than 120 days ago".
"""

from automation.lifecycle.conditions.condition import Condition
from automation.lifecycle.conditions.syntax import AllOf, AnyOf, Comparison, Days, Fact, Node, Op, Value

AMOUNTS: dict[Op, str] = {
    "=": "exactly {}",
    "!=": "other than {}",
    "<": "less than {}",
    "<=": "at most {}",
    ">": "more than {}",
    ">=": "at least {}",
    "between": "between {} and {}",
    "not between": "outside {} to {}",
}
DAYS: dict[Op, str] = AMOUNTS | {"between": "{} to {}"}
DATES: dict[Op, str] = AMOUNTS | {
    "=": "on {}",
    "!=": "not on {}",
    "<": "before {}",
    "<=": "up to {}",
    ">": "after {}",
    ">=": "from {} on",
}
WORDS: dict[Op, str] = AMOUNTS | {
    "=": "is {}",
    "!=": "is not {}",
    "in": "is one of {}",
    "not in": "is none of {}",
    "is set": "is known",
    "is not set": "is not known",
}


def clauses(condition: Condition) -> list[str]:
    """What must hold all together, each in a few words."""
    root = condition.root
    return [_words(part) for part in (root.parts if isinstance(root, AllOf) else (root,))]


def _words(node: Node) -> str:
    match node:
        case AllOf(parts):
            return " and ".join(_inside(part) for part in parts)
        case AnyOf(parts):
            return " or ".join(_inside(part) for part in parts)
        case Comparison():
            return _comparison(node)


def _inside(node: Node) -> str:
    """Within another list a list stands in brackets."""
    return _words(node) if isinstance(node, Comparison) else f"({_words(node)})"


def _comparison(node: Comparison) -> str:
    if isinstance(node.subject, Days) and node.right:
        return _days(node, node.subject) + (", or never" if node.or_unset else "")
    if isinstance(node.right, tuple) and any(isinstance(one, bool) for one in node.right):
        holds = (node.op == "=") == (node.right == (True,))
        return ("" if holds else "not ") + _name(node.subject.name)
    unset = ", or not known" if node.or_unset and node.op not in {"is set", "is not set"} else ""
    return f"{_name(node.subject.name)} {_form(node).format(*_values(node))}{unset}"


def _days(node: Comparison, subject: Days) -> str:
    amount = (WORDS | DAYS)[node.op].format(*_values(node))
    days = f"{amount} {'day' if _values(node)[-1] == '1' else 'days'}"
    if subject.name == "stage_since":
        return f"in this stage for {days}"
    name = _name(subject.name)
    return f"{name} in {days}" if subject.until else f"{name} {days} ago"


def _form(node: Comparison) -> str:
    if isinstance(node.subject, Fact) and node.subject.type == "instant":
        return (WORDS | DATES)[node.op]
    is_number = isinstance(node.subject, Fact) and node.subject.type == "number"
    return (WORDS | AMOUNTS)[node.op] if is_number else WORDS[node.op]


def _values(node: Comparison) -> list[str]:
    if isinstance(node.right, Fact):
        return [_name(node.right.name)]
    values = [_value(one) for one in node.right]
    return [", ".join(values)] if node.op in {"in", "not in"} else values


def _value(value: Value) -> str:
    return value.replace("_", " ") if isinstance(value, str) else str(value)


def _name(name: str) -> str:
    return name.replace("_", " ")
