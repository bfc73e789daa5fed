"""Reading the folder of playbooks."""

from collections.abc import Iterator
from pathlib import Path

from automation.customers.facts.definition import FactDefinitions, read_definitions
from automation.errors import BadFiles, Problem, suggest
from automation.lifecycle.conditions import Condition, Vocabulary, read_condition_in
from automation.lifecycle.model import ROLES, Lifecycle, read_lifecycle
from automation.playbooks.model import Playbook, PlaybookModel, Step
from automation.settings import Settings
from automation.tomlfile import KeyPath, TomlFile, read_toml, validated

NO_PLAYBOOKS = frozenset({"facts.toml"})


class Book:
    """Everything the marketers' TOML files say: facts, the lifecycle in use, and the playbooks by key."""

    def __init__(self, facts: FactDefinitions, lifecycle: Lifecycle, playbooks: dict[str, Playbook]) -> None:
        self.facts, self.lifecycle, self.playbooks = facts, lifecycle, playbooks


def read_book(settings: Settings) -> Book:
    """Raises BadFiles with the problems of all files at once."""
    facts = read_definitions(read_toml(settings.path(settings.paths.facts), shown(settings, settings.paths.facts)))
    path = settings.path(settings.paths.lifecycle)
    lifecycle = read_lifecycle(read_toml(path, shown(settings, settings.paths.lifecycle)), path.stem, facts.types)
    playbooks: dict[str, Playbook] = {}
    problems: list[Problem] = []
    for file in playbook_files(settings):
        try:
            name = shown(settings, file)
            playbooks[file.stem] = read_playbook(read_toml(file, name), file.stem, lifecycle, facts)
        except BadFiles as bad:
            problems += bad.problems
    if problems:
        raise BadFiles(problems)
    return Book(facts, lifecycle, playbooks)


def playbook_files(settings: Settings) -> list[Path]:
    folder = settings.path(settings.paths.playbooks)
    if not folder.is_dir():
        raise BadFiles(
            [Problem(shown(settings, folder), 0, 0, "there is no such folder", "see [paths] in config.toml")]
        )
    return sorted(file for file in folder.glob("*.toml") if file.name not in NO_PLAYBOOKS)


def shown(settings: Settings, path: Path) -> str:
    """A path as people wrote it: relative to config.toml where it lies below."""
    full = settings.path(path)
    return full.relative_to(settings.root).as_posix() if full.is_relative_to(settings.root) else str(full)


def read_playbook(file: TomlFile, key: str, lifecycle: Lifecycle, facts: FactDefinitions) -> Playbook:
    """One playbook under a lifecycle. Raises BadFiles with one problem for each thing wrong."""
    model = validated(PlaybookModel, file)
    problems = [*_unknown_stages(file, model, lifecycle), *_bad_key(file, key)]
    vocabulary = lifecycle.vocabulary(facts.types)

    def condition(*path: str | int) -> Condition | None:
        try:
            return _condition(file, path, vocabulary)
        except BadFiles as bad:
            problems.extend(bad.problems)
            return None

    when, exit_when = condition("when"), condition("exit_when")
    steps = tuple(Step(index, step, condition("steps", index, "when")) for index, step in enumerate(model.steps))
    if problems:
        raise BadFiles(problems)
    stages = frozenset().union(*(lifecycle.having(word) for word in model.stages))
    return Playbook(key, model, file.text, stages, when, exit_when, steps)


def _condition(file: TomlFile, path: KeyPath, vocabulary: Vocabulary) -> Condition | None:
    return read_condition_in(file, path, vocabulary) if path in file.values else None


def _unknown_stages(file: TomlFile, model: PlaybookModel, lifecycle: Lifecycle) -> Iterator[Problem]:
    """A role that the lifecycle in use does not have is no mistake: playbooks run under every lifecycle."""
    for index, word in enumerate(model.stages):
        if not lifecycle.having(word) and word not in ROLES:
            hint = suggest(word, {*ROLES, *lifecycle.keys})
            yield file.problem(("stages", index), f'no stage or role "{word}"', hint)


def _bad_key(file: TomlFile, key: str) -> Iterator[Problem]:
    if not key.replace("_", "").replace("-", "").isalnum() or key != key.lower() or not key.isascii():
        yield Problem(file.name, 0, 0, f'"{key}" cannot be the key of a playbook', "small letters, digits, _ and -")
