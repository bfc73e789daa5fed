"""Reading the folder of playbooks."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from automation.customers.facts.definition import FactDefinitions, drafted_definitions
from automation.errors import BadFiles, Problem, suggest
from automation.lifecycle.conditions import Condition, Vocabulary, read_condition_in
from automation.lifecycle.model import ROLES, Lifecycle, drafted_lifecycle
from automation.playbooks.model import Playbook, PlaybookModel, Step
from automation.settings import Settings
from automation.tomlfile import KeyPath, TomlFile, read_toml, validated

NO_PLAYBOOKS = frozenset({"facts.toml"})


class Book:
    """Everything the marketers' TOML files say: facts, the lifecycle in use, and the playbooks by key."""

    def __init__(self, facts: FactDefinitions, lifecycle: Lifecycle, playbooks: dict[str, Playbook]) -> None:
        self.facts, self.lifecycle, self.playbooks = facts, lifecycle, playbooks


@dataclass
class Draft:
    """A book being written: what is in order so far, and all that is wrong. None stands for a file that is no TOML.

    `paths` are all playbook files by key, `files` those that are TOML, `playbooks` only those without a mistake.
    """

    facts: FactDefinitions | None = None
    lifecycle: Lifecycle | None = None
    playbooks: dict[str, Playbook] = field(default_factory=dict)
    files: dict[str, TomlFile] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def read(self, path: Path, name: str) -> TomlFile | None:
        try:
            return read_toml(path, name)
        except BadFiles as bad:
            self.problems += bad.problems
            return None


def read_book(settings: Settings) -> Book:
    """Raises BadFiles with the problems of all files at once."""
    return book_of(read_draft(settings))


def book_of(draft: Draft) -> Book:
    """Raises BadFiles when anything is wrong in it."""
    if draft.problems or draft.facts is None or draft.lifecycle is None:
        raise BadFiles(draft.problems)
    return Book(draft.facts, draft.lifecycle, draft.playbooks)


def read_draft(settings: Settings) -> Draft:
    """The same, with as much as can be read in spite of mistakes."""
    draft = Draft()
    _read_facts(draft, settings)
    _read_lifecycle(draft, settings)
    try:
        draft.paths = {path.stem: path for path in playbook_files(settings)}
    except BadFiles as bad:
        draft.problems += bad.problems
        return draft
    for key, path in draft.paths.items():
        file = draft.read(path, shown(settings, path))
        if file is not None:
            draft.files[key] = file
            _read_playbook(draft, file, key)
    return draft


def _read_facts(draft: Draft, settings: Settings) -> None:
    file = draft.read(settings.path(settings.paths.facts), shown(settings, settings.paths.facts))
    if file is not None:
        draft.facts, problems = drafted_definitions(file, settings.business.currency)
        draft.problems += problems


def _read_lifecycle(draft: Draft, settings: Settings) -> None:
    path = settings.path(settings.paths.lifecycle)
    file = draft.read(path, shown(settings, path))
    if file is not None:
        draft.lifecycle, problems = drafted_lifecycle(file, path.stem, draft.facts.types if draft.facts else None)
        draft.problems += problems


def _read_playbook(draft: Draft, file: TomlFile, key: str) -> None:
    if draft.facts is None or draft.lifecycle is None:
        try:
            validated(PlaybookModel, file)
        except BadFiles as bad:
            draft.problems += bad.problems
        return
    try:
        draft.playbooks[key] = read_playbook(file, key, draft.lifecycle, draft.facts)
    except BadFiles as bad:
        draft.problems += bad.problems


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
    conditions, problems = _conditions(file, lifecycle.vocabulary(facts.types))
    problems += [*bad_key(file, key, "playbook"), *_unknown_stages(file, lifecycle)]
    try:
        model = validated(PlaybookModel, file)
    except BadFiles as bad:
        told = {(one.line, one.column) for one in problems}
        raise BadFiles([*problems, *(one for one in bad.problems if (one.line, one.column) not in told)]) from None
    problems += _misplaced(file, model)
    if problems:
        raise BadFiles(problems)
    steps = tuple(Step(at, step, conditions.get(("steps", at, "when"))) for at, step in enumerate(model.steps))
    stages = frozenset().union(*(lifecycle.having(word) for word in model.stages))
    return Playbook(key, model, file.text, stages, conditions.get(("when",)), conditions.get(("exit_when",)), steps)


def _conditions(file: TomlFile, vocabulary: Vocabulary) -> tuple[dict[KeyPath, Condition], list[Problem]]:
    """Every condition that can be read, by its place, whatever else is wrong in the file."""
    conditions: dict[KeyPath, Condition] = {}
    problems: list[Problem] = []
    for path in file.values:
        if path in {("when",), ("exit_when",)} or (path[0] == "steps" and path[2:] == ("when",)):
            try:
                conditions[path] = read_condition_in(file, path, vocabulary)
            except BadFiles as bad:
                problems += bad.problems
    return conditions, problems


def _misplaced(file: TomlFile, model: PlaybookModel) -> Iterator[Problem]:
    keys = [step.key for step in model.steps]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield file.problem(("steps", index, "key"), f'the step "{key}" is there twice', "keys are unique")
    if model.starts and model.ends and model.ends < model.starts:
        yield file.problem(("ends",), "the playbook ends before it starts", "its last day comes after its first")


def _unknown_stages(file: TomlFile, lifecycle: Lifecycle) -> Iterator[Problem]:
    """A role that the lifecycle in use does not have is no mistake: playbooks run under every lifecycle."""
    words = file.data.get("stages")
    for index, word in enumerate(words if isinstance(words, list) else []):
        if isinstance(word, str) and not lifecycle.having(word) and word not in ROLES:
            hint = suggest(word, {*ROLES, *lifecycle.keys})
            yield file.problem(("stages", index), f'no stage or role "{word}"', hint)


def bad_key(file: TomlFile, key: str, kind: str) -> Iterator[Problem]:
    """What is wrong with the name of a file that is the key of what is in it."""
    if not key.replace("_", "").replace("-", "").isalnum() or key != key.lower() or not key.isascii():
        yield Problem(file.name, 0, 0, f'"{key}" cannot be the key of a {kind}', "small letters, digits, _ and -")
