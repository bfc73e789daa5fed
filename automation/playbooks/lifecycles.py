"""The lifecycle files beside the one in use: one of them may be tomorrow's."""

from pathlib import Path

from automation.customers.facts.definition import FactDefinitions, drafted_definitions
from automation.errors import BadFiles, BadInput, Problem, suggest
from automation.lifecycle.model import Lifecycle, drafted_lifecycle
from automation.playbooks.load import shown
from automation.settings import Settings
from automation.tomlfile import read_toml


def lifecycle_files(settings: Settings) -> list[Path]:
    """Those in the folder of the lifecycle in use, which is one of them."""
    return sorted(settings.path(settings.paths.lifecycle).parent.glob("*.toml"))


def read_lifecycle(
    settings: Settings, path: Path, facts: FactDefinitions | None
) -> tuple[Lifecycle | None, list[Problem]]:
    """None when the file is no TOML. Without `facts` no rule is read."""
    try:
        file = read_toml(path, shown(settings, path))
    except BadFiles as bad:
        return None, bad.problems
    return drafted_lifecycle(file, path.stem, facts.types if facts else None)


def read_named(settings: Settings, *words: str) -> tuple[FactDefinitions, list[Lifecycle]]:
    """The facts, and the lifecycles that the words name: models in the folder of the one in use, or files.

    Raises BadInput for a word that names none, BadFiles with all that is wrong in the files.
    """
    paths = [_named(settings, word) for word in words]
    name = settings.paths.facts
    facts, problems = drafted_definitions(
        read_toml(settings.path(name), shown(settings, name)), settings.business.currency
    )
    found = []
    for path in paths:
        lifecycle, wrong = read_lifecycle(settings, path, facts)
        problems += wrong
        found += [lifecycle] if lifecycle else []
    if problems:
        raise BadFiles(set(problems))
    return facts, found


def _named(settings: Settings, word: str) -> Path:
    there = {path.stem: path for path in lifecycle_files(settings)}
    if word in there:
        return there[word]
    if (path := Path(word)).suffix == ".toml":
        if path.is_file():
            return path.resolve()
        raise BadInput(f"there is no file {word}; name another, or a model: {', '.join(there)}")
    folder = shown(settings, settings.paths.lifecycle.parent)
    raise BadInput(f'there is no lifecycle "{word}" in {folder}; {suggest(word, there)}')
