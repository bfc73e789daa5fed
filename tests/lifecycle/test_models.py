"""The shipped lifecycles are those of the texts, as lifecycles.md retells them."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from models import MODELS, ROOT

from automation.lifecycle.model import ROLES

FILES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in ROOT.glob("playbooks/lifecycles/*.toml")}
LANGUAGES = {"Russian": "ru", "Polish": "pl", "Italian": "it", "Chinese": "zh"}
# Where a model leaves out a role that the map gives one of its stages, and why.
EXCEPTIONS = {
    ("crm", "leaving"): "most who stand in Utrzymanie are content: the first signs only bring people back to it"
}


@pytest.fixture(scope="module")
def text(shared: Path) -> str:
    return (shared / "lifecycles.md").read_text(encoding="utf-8")


def sections(text: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Each text's file, and its stages: key and native name."""
    for section in re.split(r"^## \d\. ", text, flags=re.MULTILINE)[1:6]:
        source = re.findall(r"`(\S+\.txt)`", section)[0]
        stages = re.findall(r"^\| `(\w+)` \| ([^|(]+?) (?:\([^|]*\) )?\|", section, re.MULTILINE)
        yield source, stages


def model_of(source: str) -> tuple[str, dict[str, Any]]:
    found = [(key, file) for key, file in FILES.items() if file.get("source") == source]
    assert len(found) == 1, source
    return found[0]


def test_every_text_is_a_lifecycle_with_its_stages_in_their_order_and_by_their_names(text: str) -> None:
    told = dict(sections(text))
    assert {model_of(source)[0] for source in told} == set(MODELS)
    assert sum(map(len, told.values())) == 6 + 5 + 6 + 5 + 5
    for source, stages in told.items():
        _, file = model_of(source)
        native = [(stage["key"], stage["name"][file["language"]]) for stage in file["stages"]]
        assert native == stages, source


def test_a_lifecycle_is_in_the_language_of_its_text(text: str) -> None:
    rows = re.findall(r"^\| `(\S+\.txt)` \| (\w+) \|", text, re.MULTILINE)
    assert len(rows) == len(MODELS)
    for source, language in rows:
        assert model_of(source)[1]["language"] == LANGUAGES[language]


def test_every_stage_has_the_roles_that_the_map_across_models_gives_it(text: str) -> None:
    rows = [re.split(r" *\| *", line.strip("| ")) for line in text.split("## 6.")[1].splitlines() if line[:2] == "| "]
    sources = [cell.strip("`") for cell in rows[0][1:]]
    given = {row[0]: row[1:] for row in rows if row[0] in ROLES}
    assert set(given) == set(ROLES)
    for at, source in enumerate(sources):
        key, file = model_of(source)
        for role, cells in given.items():
            having = {stage["key"] for stage in file["stages"] if role in stage["roles"]}
            if (key, role) in EXCEPTIONS:
                assert not having, EXCEPTIONS[key, role]
                continue
            meant = {one["key"] for one in file["stages"] if named(one["name"][file["language"]], cells[at])}
            assert having == meant, (key, role)


def named(name: str, cell: str) -> bool:
    """A name of two halves is meant by one of them."""
    return any(part in cell for part in name.split(" e / o "))


@pytest.mark.parametrize("key", [*MODELS, "standard"])
def test_every_stage_has_an_english_name_and_a_role(key: str) -> None:
    for stage in FILES[key]["stages"]:
        assert stage["name"]["en"], stage["key"]
        assert stage["roles"], stage["key"]


def test_the_standard_stages_are_named_in_the_languages_of_all_texts() -> None:
    for stage in FILES["standard"]["stages"]:
        assert set(stage["name"]) == {"en", *LANGUAGES.values()}
