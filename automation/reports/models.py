"""Another lifecycle than the one in use, to look at the same customers through it."""

from pathlib import Path

from automation.errors import BadFiles, BadInput, suggest
from automation.lifecycle.model import Lifecycle, drafted_lifecycle
from automation.playbooks.load import Book, shown
from automation.settings import Settings
from automation.tomlfile import read_toml


def lifecycle_named(settings: Settings, book: Book, word: str) -> Lifecycle:
    """By the name of its file beside the one in use, or by a path. Raises BadInput, and BadFiles for its mistakes."""
    beside = settings.path(settings.paths.lifecycle)
    path = _found(beside.parent, word)
    if path.resolve() == beside.resolve():
        return book.lifecycle
    lifecycle, problems = drafted_lifecycle(read_toml(path, shown(settings, path)), path.stem, book.facts.types)
    if problems:
        raise BadFiles(problems)
    return lifecycle


def _found(folder: Path, word: str) -> Path:
    beside = {file.stem: file for file in folder.glob("*.toml")}
    if word in beside:
        return beside[word]
    if Path(word).suffix == ".toml" and Path(word).is_file():
        return Path(word)
    raise BadInput(f'no lifecycle "{word}"; {suggest(word, beside)}, or write the path of a file')
