"""Where a year is simulated: a database of its own, in memory where there is such a folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reusing import for_a_test
from simulator.judge import Told
from simulator.year import Year

from automation.database.engine import Database, connect
from automation.database.upgrade import upgrade

MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of its own in it)


def simulate(seed: int, days: int, migrated: Path) -> Told:
    """So many days of one seed, on a copy of a migrated SQLite file."""
    with _database(migrated) as (database, folder):
        return Year(seed, database, folder).run(days)


def migrate(folder: Path) -> Path:
    """An empty SQLite file with the schema in place."""
    database = connect("sqlite:///migrated.db", folder)
    upgrade(database)
    database.close()
    return folder / "migrated.db"


@contextmanager
def _database(migrated: Path) -> Iterator[tuple[Database, Path]]:
    """A power cut ends transactions; what it does to a disk is not asked here."""
    folder = Path(tempfile.mkdtemp(prefix="year-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        shutil.copy(migrated, folder / "automation.db")
        database = for_a_test(connect(f"sqlite:///{folder / 'automation.db'}"))
        yield database, folder
        database.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
