"""The two sides of a comparison: what a name means, what a value says, and whether they fit."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lark import Token, Tree

from automation.customers.fact_types import FactType
from automation.errors import nearest, suggest
from automation.lifecycle.conditions.error import ConditionError
from automation.lifecycle.conditions.syntax import Days, Fact, Role, Subject, Value
from automation.lifecycle.conditions.vocabulary import Vocabulary

Item = Token | Tree[Token]

FUNCTIONS = {"days_since": False, "days_until": True}
ABOUT_STAGES = ("stage", "role", "days_in_stage")
VALUES: dict[str, FactType] = {"NUMBER": "number", "TEXT": "text", "BOOLEAN": "boolean", "DATE": "instant"}
MAX_DIGITS = 15  # as many as a double holds exactly
WORDS: dict[FactType, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "yes or no",
    "instant": "a point in time",
}
EXAMPLES: dict[FactType, str] = {
    "text": 'compare it with a text in quotes, like "gold"',
    "number": "compare it with a number, like 3",
    "boolean": "compare it with true or false, or write it alone",
    "instant": "compare it with a date, like 2026-01-31 without quotes",
}


def place(item: Item) -> int:
    """The offset at which it begins."""
    return (item.start_pos if isinstance(item, Token) else item.meta.start_pos) or 0


def is_value(item: Item) -> bool:
    return isinstance(item, Token) and item.type in VALUES


def type_of(subject: Subject) -> str:
    return WORDS[_type(subject)]


def _type(subject: Subject) -> FactType:
    if isinstance(subject, Fact):
        return subject.type
    return "number" if isinstance(subject, Days) else "text"


@dataclass(frozen=True)
class Operands:
    text: str
    vocabulary: Vocabulary

    def subject(self, item: Item) -> Subject:
        """The fact, days or role that is compared."""
        if isinstance(item, Tree):
            return self._call(item)
        if is_value(item):
            raise self._error(item, f"{item} is a value, and a fact is expected here", self._known(str(item)))
        return self._name(item)

    def value(self, item: Item, left: Item, subject: Subject) -> Value:
        """A value of the subject's type; a stage or role that exists."""
        expected = _type(subject)
        if not isinstance(item, Token) or not is_value(item):
            message = f"{self.written(item)} is a fact, and only values can stand here"
            quoted = expected == "text" and isinstance(item, Token)
            raise self._error(item, message, f'write "{item}"' if quoted else f"for example {_example(expected)}")
        if VALUES[item.type] != expected:
            message = f"{self.written(left)} is {WORDS[expected]}, and {item} is {_said(VALUES[item.type])}"
            raise self._error(item, message, EXAMPLES[expected])
        value = self._read(item)
        if subject.name == "stage":
            self._refuse_unknown_key(item, str(value), isinstance(subject, Role))
        return value

    def written(self, item: Item) -> str:
        """As it stands in the condition."""
        end = item.end_pos if isinstance(item, Token) else item.meta.end_pos
        return self.text[place(item) : end]

    def _call(self, item: Tree[Token]) -> Days:
        function, inner = item.children
        if function not in FUNCTIONS:
            raise self._error(item, f'there is no function "{function}"', suggest(str(function), FUNCTIONS))
        if not isinstance(inner, Token) or is_value(inner):
            raise self._error(inner, f"{function} takes a fact", f"write {function}(signed_up)")
        fact = self._name(inner)
        if fact != Fact(fact.name, "instant"):
            message = f"{function} takes a point in time, and {inner} is {type_of(fact)}"
            raise self._error(inner, message, self._instants())
        return Days(fact.name, until=FUNCTIONS[str(function)])

    def _name(self, item: Token) -> Subject:
        name = str(item)
        if name in ABOUT_STAGES and "stage" not in self.vocabulary.names:
            message = f"{name} cannot be used here: a stage's rule cannot depend on the stage itself"
            raise self._error(item, message, "use facts about what the customer did")
        if name == "role":
            return Role()
        if name not in self.vocabulary.names:
            raise self._error(item, f'there is no fact "{name}"', self._known(name, place(item)))
        known = self.vocabulary.names[name]
        return Days(known.days_of) if known.days_of else Fact(name, known.type)

    def _known(self, name: str, offset: int = 0) -> str:
        names = {*self.vocabulary.names, *({"role"} if "stage" in self.vocabulary.names else ())}
        if not re.search(r"(?<![<>])=\s*$", self.text[:offset]):
            return suggest(name, names)
        return f'a text stands in quotes: "{name}"' + (f"; or {suggest(name, names)}" if nearest(name, names) else "")

    def _instants(self) -> str:
        return "known: " + ", ".join(
            sorted(name for name, one in self.vocabulary.names.items() if one.type == "instant")
        )

    def _read(self, item: Token) -> Value:
        match item.type:
            case "NUMBER":
                return self._number(item)
            case "TEXT":
                return re.sub(r"\\(.)", r"\1", item[1:-1], flags=re.DOTALL)
            case "BOOLEAN":
                return item.lower() == "true"
            case _:
                return self._date(item)

    def _number(self, item: Token) -> Decimal:
        if sum(one.isdigit() for one in item) > MAX_DIGITS:
            raise self._error(item, f"this number has more than {MAX_DIGITS} digits", "write a shorter one")
        return Decimal(str(item))

    def _date(self, item: Token) -> date:
        try:
            return date.fromisoformat(str(item))
        except ValueError:
            raise self._error(item, f"{item} is no day of the calendar", "write year-month-day") from None

    def _refuse_unknown_key(self, item: Token, key: str, is_role: bool) -> None:
        stages, roles = frozenset(self.vocabulary.stages), self.vocabulary.roles
        known, others = (roles, stages) if is_role else (stages, roles)
        what, other = ("role", "stage") if is_role else ("stage", "role")
        if key not in known:
            suggestion = f'"{key}" is a {other}: write {other} = "{key}"' if key in others else suggest(key, known)
            raise self._error(item, f'there is no {what} "{key}"', suggestion)

    def _error(self, item: Item, message: str, suggestion: str) -> ConditionError:
        return ConditionError(self.text, place(item), message, suggestion)


def _said(written: FactType) -> str:
    return "a date" if written == "instant" else WORDS[written]


def _example(expected: FactType) -> str:
    return {"text": '"gold"', "number": "3", "boolean": "true", "instant": "2026-01-31"}[expected]
