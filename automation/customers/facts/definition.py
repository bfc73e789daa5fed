"""facts.toml: what each fact is. One aggregate over events, or one attribute."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import get_args

from automation.customers.fact_types import FactType
from automation.customers.facts.model import MEASURES, MONEY, FactModel
from automation.errors import BadFiles, Problem
from automation.tomlfile import TomlFile, validated

ALWAYS: Mapping[str, FactType] = {
    "signed_up": "instant",
    "stage": "text",
    "role": "text",
    "days_in_stage": "number",
    "locale": "text",
    "country": "text",
    "can_email": "boolean",
    "can_sms": "boolean",
}
TAKEN = frozenset({*ALWAYS, "shard", "customer_id", "stale", "stage_since"})
WORDS = frozenset({"and", "or", "not", "in", "between", "is", "set", "true", "false", "days_since", "days_until"})
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
LAYOUT = 1  # raise it when the always-there columns change: every cache is then rebuilt


@dataclass(frozen=True)
class Fact:
    """A fact's name, type and source, ready to be compiled. `home`: the currency of amounts that name none."""

    name: str
    type: FactType
    model: FactModel
    home: str = "EUR"

    @property
    def attribute(self) -> str | None:
        return self.model.attribute

    @property
    def measure(self) -> str:
        return next(one for one in MEASURES if getattr(self.model, one) is not None)

    @property
    def key(self) -> str:
        """The event's property that is measured; "time" is the event's own time."""
        return "" if self.measure == "count" else str(getattr(self.model, self.measure))

    @property
    def is_packed(self) -> bool:
        """Whether it is a property's value in the first or the newest event."""
        return self.measure in {"first", "last", "latest"} and self.key != "time"

    @property
    def events(self) -> tuple[str, ...]:
        """Those that count, then those that count against."""
        return (*_names(self.model.event), *self.against)

    @property
    def against(self) -> tuple[str, ...]:
        return _names(self.model.minus)

    @property
    def currency(self) -> str | None:
        """The only one whose amounts are added or compared; None for what is no money."""
        is_money = self.measure in {"sum", "min", "max"} and self.key in MONEY
        return self.model.currency or (self.home if is_money else None)

    @property
    def within(self) -> timedelta | None:
        return self.model.within


def _names(given: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else given or ()


@dataclass(frozen=True, eq=False)
class FactDefinitions:
    """All of facts.toml, read once. `fingerprint` changes when a rebuild is needed."""

    facts: tuple[Fact, ...]

    @cached_property
    def fingerprint(self) -> str:
        told = [f"{LAYOUT}", *(f"{one.name}:{one.type}:{one.home}:{one.model.model_dump_json()}" for one in self.facts)]
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    @cached_property
    def types(self) -> dict[str, FactType]:
        """Every name a condition or a template may use."""
        return {**ALWAYS, **{fact.name: fact.type for fact in self.facts}}

    @property
    def windowed(self) -> "FactDefinitions":
        """Those that only count events of a number of days."""
        return FactDefinitions(tuple(fact for fact in self.facts if fact.within is not None))

    @property
    def of_events(self) -> tuple[Fact, ...]:
        return tuple(fact for fact in self.facts if fact.attribute is None)


def read_definitions(file: TomlFile, home: str = "EUR") -> FactDefinitions:
    """facts.toml as definitions. Raises BadFiles with one problem for each thing wrong."""
    definitions, problems = drafted_definitions(file, home)
    if problems:
        raise BadFiles(problems)
    return definitions


def drafted_definitions(file: TomlFile, home: str = "EUR") -> tuple[FactDefinitions, list[Problem]]:
    """What is defined, and what is wrong. A fact with a mistake is there with the type it seems to have: the conditions
    that name it need not be told wrong as well.
    """
    problems: list[Problem] = []
    facts: list[Fact] = []
    for name, table in file.data.items():
        problems += _bad_name(file, name)
        if not isinstance(table, dict):
            problems.append(
                file.problem((name,), f'"{name}" is not a fact', f"write [{name}] and its keys below", at_key=True)
            )
            continue
        try:
            model = validated(FactModel, file, table, at=(name,))
        except BadFiles as bad:
            problems += bad.problems
            model = FactModel.model_construct(**{key: table[key] for key in FactModel.model_fields if key in table})
            facts.append(Fact(name, _seeming_type(model), model, home))
            continue
        facts.append(Fact(name, _type_of(model), model, home))
        problems += _bad_type(file, facts[-1])
    return FactDefinitions(tuple(facts)), problems


def _bad_name(file: TomlFile, name: str) -> Iterator[Problem]:
    if name in TAKEN:
        yield file.problem(
            (name,), f'"{name}" is always there and cannot be defined', "choose another name", at_key=True
        )
    elif name in WORDS or not NAME.fullmatch(name):
        hint = "small letters, digits and _, beginning with a letter, and no word of the condition language"
        yield file.problem((name,), f'"{name}" cannot name a fact', hint, at_key=True)


def _type_of(model: FactModel) -> FactType:
    if model.type:
        return model.type
    if model.attribute:
        return "text"
    timed = "time" in (model.first, model.last, model.min, model.max, model.latest)
    return "instant" if timed else "number"


def _seeming_type(model: FactModel) -> FactType:
    return _type_of(model if model.type in get_args(FactType) else model.model_copy(update={"type": None}))


def _bad_type(file: TomlFile, fact: Fact) -> Iterator[Problem]:
    if fact.attribute:
        return
    counted = fact.measure in {"count", "sum", "distinct"}
    if counted and fact.type != "number":
        yield file.problem((fact.name, "type"), f"{fact.measure} is always a number", "remove this line")
    elif fact.key == "time" and fact.type != "instant":
        yield file.problem((fact.name, "type"), 'the "time" of an event is always an instant', "remove this line")
    elif fact.measure in {"min", "max"} and fact.type not in {"number", "instant"}:
        yield file.problem(
            (fact.name, "type"), f'{fact.measure} takes type "number" or "instant"', "use first or last for others"
        )
