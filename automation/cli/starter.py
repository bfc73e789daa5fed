"""The files a new shop starts from."""

import shutil
from pathlib import Path

import automation
from automation.errors import AutomationError, BadInput

PARTS = ("config.toml", "playbooks", "templates")


class StarterMissing(AutomationError):
    """The starter files are not where the program is; install it again."""


def starter_folder() -> Path:
    """In the installed package, or beside it in a checkout."""
    package = Path(automation.__file__).parent
    for folder in (package / "starter", package.parent):
        if all((folder / part).exists() for part in PARTS):
            return folder
    raise StarterMissing


def copy_starter(target: Path) -> list[str]:
    """Copy everything below `target`. Returns the names of the files, relative to it.

    Raises BadInput when one of them is there already: nothing is copied then.
    """
    source = starter_folder()
    names = sorted(path.relative_to(source).as_posix() for part in PARTS for path in _files(source / part))
    there = [name for name in names if (target / name).exists()]
    if there:
        listed = "\n".join(f"    {name}" for name in there)
        raise BadInput(f"{target} has these files already; name another folder, or move them away:\n{listed}")
    for name in names:
        _copy(source / name, target / name)
    return names


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return [one for one in found if not one.name.startswith(".")]


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    except OSError as error:
        raise BadInput(f"{target} cannot be written: {(error.strerror or 'unknown').lower()}") from None
