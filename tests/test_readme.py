"""What README.md says is so: commands, options, examples, files."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from automation.cli import app
from automation.settings import load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DEMO = "python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/automation demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -e '.[test]' && .venv/bin/pytest"
SANDBOX = 'providers = ["sandbox_email"]'
GUIDES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("automation/**/README.md"), *ROOT.glob("*/README.md")]


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


COMMANDS = dict(commands(typer.main.get_command(app)))
TABLE = re.findall(r"^\| `automation ([^`]+)` \|", README, re.MULTILINE)


def named(line: str) -> tuple[str, list[str]]:
    """A line's command, and the words after it."""
    words = line.split()
    count = 2 if " ".join(words[:2]) in COMMANDS else 1
    return " ".join(words[:count]), words[count:]


def test_the_two_commands_stand_near_the_top() -> None:
    assert {DEMO, TESTS} <= set(README.splitlines()[:20])


def test_the_table_names_every_command_and_no_other() -> None:
    assert sorted(named(line)[0] for line in TABLE) == sorted(COMMANDS)


@pytest.mark.parametrize("line", TABLE)
def test_every_option_in_the_table_exists(line: str) -> None:
    name, words = named(line)
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {word.strip("[]") for word in words if word.startswith("[--")} <= options


@pytest.mark.parametrize("example", examples("sh"))
def test_every_shell_example_runs_commands_that_exist(example: str) -> None:
    for line in example.splitlines():
        words = shlex.split(line, comments=True)
        for part in " ".join(words).split(" && "):
            if part.startswith("automation "):
                name, rest = named(part.removeprefix("automation "))
                COMMANDS[name].make_context(name, rest)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped file, changed as the example says."""
    (example,) = examples("toml")
    email, section = example.split("\n\n")
    shipped = (ROOT / "config.toml").read_text(encoding="utf-8")
    assert shipped.count(SANDBOX) == 1
    changed = shipped.replace(SANDBOX, email.removeprefix("[email]\n"))
    (tmp_path / "config.toml").write_text(f"{changed}\n{section}", encoding="utf-8")
    return tmp_path / "config.toml"


def test_the_configuration_example_is_valid(config: Path) -> None:
    settings = load(config)
    assert settings.real_providers == ["mail"]
    assert settings.providers["mail"].channel == "email"


def test_every_variable_of_the_examples_is_known(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = config.with_name("secret")
    secret.write_text("YSBzZWNyZXQ=\n", encoding="utf-8")  # one of them has to be base64
    variables = dict(re.findall(r"\b(AUTOMATION_\w+)=([^\s`]+)", README))
    assert variables
    for name, value in variables.items():
        monkeypatch.setenv(name, str(secret) if name.endswith("_FILE") else value)
    settings = load(config)
    token = settings.providers["mail"].token
    assert token is not None
    assert token.get_secret_value() == "YSBzZWNyZXQ="


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(guide: Path) -> None:
    text = guide.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s{]+)\)", text):
        if "://" not in target:
            assert (guide.parent / target.partition("#")[0]).exists(), target


def test_every_file_that_is_named_exists() -> None:
    for name in re.findall(r"(?<![\w/.<-])[\w.-]+(?:/[\w.-]+)*/[\w.-]+\.(?:py|toml|txt)\b", README):
        assert (ROOT / name).is_file(), name
    assert (ROOT / ".ci/run").stat().st_mode & 0o100
