"""Where the demo takes place: a folder, a database and a provider of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from automation.cli.demo_story import Stand
from automation.cli.starter import copy_starter
from automation.database.engine import connect
from automation.database.upgrade import upgrade
from automation.playbooks.load import read_book
from automation.settings import Settings, load
from automation.values import Rate

DATABASE = "automation.db"
# The sandbox is as quick as this machine; the demo shall be, too.
AT_ONCE = Rate(10_000, timedelta(seconds=1))


@contextmanager
def own_folder(keep: Path | None) -> Iterator[Path]:
    """A folder with the starter's files, gone in the end unless it is to be kept."""
    if keep is not None:
        copy_starter(keep)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="automation-demo-", ignore_cleanup_errors=True) as name:
        copy_starter(Path(name))
        yield Path(name)


@contextmanager
def own_stand(folder: Path, sandbox: str) -> Iterator[Stand]:
    """The demo's own files, database and provider, whatever the environment says about the real ones."""
    settings = _only_here(load(folder / "config.toml"), sandbox)
    database = connect(settings.database.url, folder)
    try:
        upgrade(database)
        yield Stand(folder, settings, read_book(settings), database)
    finally:
        database.close()


def _only_here(settings: Settings, sandbox: str) -> Settings:
    """Every provider is the sandbox, and no secret is used."""
    mine = {"base_url": sandbox, "rate": AT_ONCE, "token": None}
    providers = {key: one.model_copy(update=mine) for key, one in settings.providers.items()}
    database = settings.database.model_copy(update={"url": f"sqlite:///{DATABASE}", "password": None})
    return settings.model_copy(update={"providers": providers, "database": database, "secret_key": None})
