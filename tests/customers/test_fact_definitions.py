"""facts.toml: what may stand in it, and what is told otherwise."""

from pathlib import Path

import pytest

from automation.customers.facts.definition import drafted_definitions, read_definitions
from automation.errors import BadFiles
from automation.tomlfile import parse_toml, read_toml

ROOT = Path(__file__).parents[2]


def told(text: str) -> list[tuple[int, int, str, str]]:
    with pytest.raises(BadFiles) as bad:
        read_definitions(parse_toml(text, "facts.toml"))
    return [(one.line, one.column, one.message, one.hint) for one in bad.value.problems]


def types_of(text: str) -> dict[str, str]:
    return {fact.name: fact.type for fact in read_definitions(parse_toml(text, "facts.toml")).facts}


def test_the_shipped_facts_are_in_order() -> None:
    assert len(read_definitions(read_toml(ROOT / "playbooks/facts.toml")).facts) > 0


def test_an_empty_file_defines_nothing_and_the_facts_that_are_always_there_remain() -> None:
    definitions = read_definitions(parse_toml("", "facts.toml"))
    assert definitions.facts == ()
    assert definitions.types["signed_up"] == "instant"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ('event = "a"\ncount = true', "number"),
        ('event = ["a", "b"]\ndistinct = "channel"', "number"),
        ('event = "a"\nlast = "time"', "instant"),
        ('event = "a"\nlatest = "nps"', "number"),
        ('event = "a"\nlatest = "answer"\ntype = "text"', "text"),
        ('attribute = "plan"', "text"),
        ('attribute = "vip"\ntype = "boolean"', "boolean"),
    ],
)
def test_a_fact_has_the_type_of_what_it_measures(keys: str, expected: str) -> None:
    assert types_of(f"[x]\n{keys}") == {"x": expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[x]\nevent = "a"\ncuont = true', (3, 1, 'unknown key "cuont"', 'did you mean "count"?')),
        ('[x]\nevent = "a"\ncount = false', (3, 9, "this must be true", "")),
        ("[x]\ncount = true", (1, 2, "a fact has either an event or an attribute", "")),
        ('[x]\nevent = "a"\nattribute = "b"', (1, 2, "a fact has either an event or an attribute", "")),
        (
            '[x]\nevent = "a"\nmax = "b"\nminus = "c"',
            (1, 2, "`minus` takes something off a sum: it goes with `sum` alone", ""),
        ),
        (
            '[x]\nevent = "a"\ncount = true\ncurrency = "EUR"',
            (1, 2, "`currency` is that of an amount: it goes with sum, min or max", ""),
        ),
        (
            '[x]\nevent = "a"\ncount = true\nsum = "b"',
            (1, 2, "a fact of an event has exactly one of: count, sum, min, max, first, last, latest, distinct", ""),
        ),
        (
            '[x]\nevent = "a"\ncount = true\nwithin = "month"',
            (4, 10, 'a duration is written like "36 hours", "3 days" or "2 weeks"', ""),
        ),
        ('[x]\nattribute = "a"\ntype = "numbr"', (3, 8, '"numbr" is not possible here', 'did you mean "number"?')),
        ('[x]\nattribute = "a"\ncount = true', (1, 2, "a fact of an attribute takes only a type", "")),
        (
            '[stage]\nattribute = "a"',
            (1, 2, '"stage" is always there and cannot be defined', "choose another name"),
        ),
        ("orders = 3", (1, 1, '"orders" is not a fact', "write [orders] and its keys below")),
        ('[x]\nevent = "a"\ncount = true\ntype = "text"', (4, 8, "count is always a number", "remove this line")),
    ],
)
def test_a_mistake_is_told_with_its_place_and_remedy(text: str, expected: tuple[int, int, str, str]) -> None:
    assert told(text) == [expected]


@pytest.mark.parametrize("name", ["Orders", "2nd", "last-order", "days_since", "and", "x" * 61])
def test_a_name_that_a_condition_could_not_speak_is_refused(name: str) -> None:
    ((line, column, message, _),) = told(f'["{name}"]\nattribute = "a"')
    assert (line, column, message) == (1, 2, f'"{name}" cannot name a fact')


def test_mistakes_of_several_facts_are_told_at_once() -> None:
    text = '[a]\nevnt = "x"\ncount = true\n[B]\nattribute = "b"\n[c]\nattribute = 3'
    assert [line for line, *_ in told(text)] == [2, 4, 7]


def test_a_fact_with_a_mistake_keeps_the_type_it_seems_to_have() -> None:
    text = '[a]\nevent = "x"\nlast = "time"\nwithn = "3 days"\n[b]\nattribute = "b"\ntype = "booln"\n[c]\ncount = 3\n'
    definitions, problems = drafted_definitions(parse_toml(text, "facts.toml"))
    assert len(problems) >= 3
    assert {fact.name: fact.type for fact in definitions.facts} == {"a": "instant", "b": "text", "c": "number"}
