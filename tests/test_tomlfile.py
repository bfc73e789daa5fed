"""Where a mistake in a TOML file stands, and how it is told."""

import tomllib
from datetime import timedelta
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from automation.errors import BadFiles
from automation.tomlfile import parse_toml, read_toml, validated
from automation.values import Duration


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str = Field(min_length=1)
    channel: Literal["email", "sms"] = "email"
    after: Duration = timedelta(0)
    share: float = Field(0, ge=0, le=1)


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = "x"
    event: str | tuple[str, ...] = ""
    active: bool = True
    most: int = 1
    token: SecretStr | None = None
    steps: tuple[Part, ...] = Field((Part(key="a"),), min_length=1)


def told(text: str) -> list[tuple[int, int, str, str]]:
    """Line, column, message and hint of everything wrong."""
    with pytest.raises(BadFiles) as bad:
        validated(Whole, parse_toml(text, "a.toml"))
    return [(one.line, one.column, one.message, one.hint) for one in bad.value.problems]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('nmae = "x"', (1, 1, 'unknown key "nmae"', 'did you mean "name"?')),
        ("zzz = 1", (1, 1, 'unknown key "zzz"', "known: active, event, most, name, steps")),
        ("name = 3", (1, 8, "this must be a text in quotation marks", "")),
        ("event = 3", (1, 9, "this must be a text in quotation marks or a list in [ ]", "")),
        ('active = "perhaps"', (1, 10, "this must be true or false", "")),
        ("most = 1.5", (1, 8, "this must be a whole number", "")),
        ("steps = []", (1, 9, "this must be a list with something in it", "")),
        ('steps = ["a"]', (1, 10, "this must be a table", "")),
        ('[[steps]]\nkey = ""', (2, 7, "this must be a text with something in it", "")),
        ('[[steps]]\nchannel = "sms"', (1, 3, 'the key "key" is missing', "")),
        ('[[steps]]\nkey = "a"\nshare = 10', (3, 9, "this must be at most 1", "")),
        ('[[steps]]\nkey = "a"\nchannel = "emial"', (3, 11, '"emial" is not possible here', 'did you mean "email"?')),
        ('[[steps]]\nkey = "a"\nchannel = "fax"', (3, 11, '"fax" is not possible here', "known: email, sms")),
        (
            '[[steps]]\nkey = "a"\n[[steps]]\nkey = "b"\nafter = "soon"',
            (5, 9, 'a duration is written like "36 hours", "3 days" or "2 weeks"', ""),
        ),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_file(text: str, expected: tuple[int, int, str, str]) -> None:
    assert told(text) == [expected]


def test_a_misspelt_key_is_not_told_missing_as_well() -> None:
    assert told('[[steps]]\nkee = "a"') == [(2, 1, 'unknown key "kee"', 'did you mean "key"?')]


def test_a_value_of_several_possible_types_is_told_once() -> None:
    assert [message for *_, message, _ in told("event = { a = 1 }")] == [
        "this must be a text in quotation marks or a list in [ ]"
    ]


def test_all_mistakes_are_told_at_once_in_order_of_place() -> None:
    problems = told('nmae = 1\nmost = "x"\n[[steps]]\nkey = "a"\nshare = 2\n[[steps]]\nchannel = "a"\nkey = "b"')
    assert [line for line, *_ in problems] == [1, 2, 5, 7]


def test_columns_count_characters_and_not_bytes() -> None:
    problems = told('steps = [ { key = "éé", chanel = "sms" } ]')
    assert problems == [(1, 25, 'unknown key "chanel"', 'did you mean "channel"?')]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('name = "Win back\nx = 1', (1, 17), "this text is not closed"),
        ("name = Win back", (1, 8), "this is no value"),
        ("[a]\n[a]", (2, 3), "[a] is there twice"),
        ("a = 1\na = 2", (2, 6), "this key is there twice"),
        ('when = "plan = "plus""', (1, 17), "the line goes on after its value"),
        ("a = [1", (1, 7), "this list is not closed"),
        ("a", (1, 2), "after the key comes an = sign"),
        ("= 1", (1, 1), "this is not TOML: Invalid statement"),
    ],
)
def test_what_is_no_toml_is_told_where_it_breaks(text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(BadFiles) as bad:
        parse_toml(text, "a.toml")
    (problem,) = bad.value.problems
    assert problem.line == place[0]
    assert abs(problem.column - place[1]) <= 1  # the releases of Python differ about the end of a line
    assert problem.message == message
    assert problem.hint


def test_a_file_that_is_missing_or_not_utf_8_is_a_problem_of_the_whole_file(tmp_path: Any) -> None:
    (tmp_path / "latin.toml").write_bytes(b'name = "caf\xe9"')
    for name, message in {
        "none.toml": "cannot be read: no such file or directory",
        "latin.toml": "is not UTF-8",
    }.items():
        with pytest.raises(BadFiles, match=message) as bad:
            read_toml(tmp_path / name, name)
        assert (bad.value.problems[0].file, bad.value.problems[0].line) == (name, 0)


def test_a_place_inside_a_text_of_several_lines_is_found() -> None:
    file = parse_toml('when = """\norders >= 1\nand x\n"""', "a.toml")
    assert file.place_in(("when",), file.data["when"].index("x")) == (3, 5)


KEYS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
LEAVES = st.integers(0, 9).map(str) | st.sampled_from(['"é"', "true", "[1, 2]", "2026-01-31", '{ k = "v" }'])


@given(tables=st.dictionaries(KEYS, st.dictionaries(KEYS, LEAVES, max_size=3), max_size=4))
def test_every_key_of_a_file_has_its_place(tables: dict[str, dict[str, str]]) -> None:
    lines = [
        line for name, table in tables.items() for line in (f"[{name}]", *(f"{k} = {v}" for k, v in table.items()))
    ]
    file = parse_toml("\n".join(lines), "a.toml")
    assert file.data == tomllib.loads("\n".join(lines))
    for name, table in tables.items():
        for key in table:
            line, column = file.place((name, key), at_key=True)
            assert column == 1
            assert lines[line - 1].startswith(f"{key} = ")
