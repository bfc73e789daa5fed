"""Every word of the console is in its catalog: none is missing, and none is left over."""

import ast
import re
import string
from pathlib import Path

import pytest

from automation.database.audit import ACTS
from automation.errors import BadInput
from automation.web.console.office import PAGES
from automation.web.console.texts import read_texts

CODE = PAGES.parents[1]
LITERAL = re.compile(r"""\bt\(\s*["']([\w.]+)["']\s*[,)]""")
BUILT = re.compile(r"""\bt\(\s*["']([\w.]+)["']\s*\+|\bt\.of\(\s*["']([\w.]+)["']""")
WORDS = re.compile(r"(?<![\w\"'=-])[A-Za-z]{3,}(?: [A-Za-z]{2,})+")
TEMPLATES = sorted(PAGES.rglob("*.html"))


def strings() -> set[str]:
    """Every string in the console's own code."""
    files = [*(CODE / "console").rglob("*.py"), *(CODE / "accounts").rglob("*.py")]
    found = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_key_that_a_page_uses_is_there() -> None:
    words = read_texts("en").words
    used = {key for file in TEMPLATES for key in LITERAL.findall(file.read_text(encoding="utf-8"))}
    assert sorted(used - set(words)) == []


def test_every_key_is_used() -> None:
    used = {key for file in TEMPLATES for key in LITERAL.findall(file.read_text(encoding="utf-8"))}
    built = {"".join(keys) for file in TEMPLATES for keys in BUILT.findall(file.read_text(encoding="utf-8"))}
    built |= {"told.", "problem."}
    in_code = strings()
    left = [
        key
        for key in read_texts("en").words
        if key not in used and key not in in_code and not key.startswith(tuple(built))
    ]
    assert left == []


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_words_stand_in_a_page_itself(file: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert WORDS.findall(text) == []
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", file.read_text(encoding="utf-8"))


def test_everything_that_people_do_is_told_in_words() -> None:
    texts = read_texts("en")
    assert [act for act in ACTS if f"act.{act}" not in texts] == []


def test_every_text_can_be_filled_in() -> None:
    for words in read_texts("en").words.values():
        assert all(name is None or name.isidentifier() for _, name, *_ in string.Formatter().parse(words))


def test_a_language_that_is_not_there_says_which_are() -> None:
    with pytest.raises(BadInput, match="known: en"):
        read_texts("xx")


def test_stylesheet_and_script_are_small() -> None:
    assert sum(file.stat().st_size for file in (CODE / "static").glob("console.*")) <= 60_000
