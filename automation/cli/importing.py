"""A file into the database, with a bar that shows how far it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from automation.cli.opening import database_of, settings_of
from automation.cli.output import progress, show_json, show_pairs
from automation.clock import wall_clock


def import_file(work: Callable[..., Any], file: Path, config: Path, *, as_json: bool) -> None:
    settings = settings_of(config)
    with database_of(settings) as database, progress(file.name, of_bytes=True) as told:
        done = vars(work(database, file, wall_clock(), told))
    show_json(done) if as_json else show_pairs(done)
