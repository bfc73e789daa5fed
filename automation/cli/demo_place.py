"""Where the demo takes place: a folder, a database, a provider and a web application of its own."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from automation.cli.demo_story import Stand, StoryClock
from automation.cli.starter import copy_starter
from automation.database.engine import connect
from automation.database.upgrade import upgrade
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.telling import Ear
from automation.delivery.sandbox.telling.ears import ears_of
from automation.playbooks.load import read_book
from automation.settings import Settings, load
from automation.values import Rate
from automation.web.accounts.users import add_user
from automation.web.server import answering

DATABASE = "automation.db"
VISITOR = "visitor"
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
def own_stand(folder: Path) -> Iterator[Stand]:
    """The demo's own files, database and provider, whatever the environment says about the real ones. The provider
    tells what becomes of each message at once.
    """
    clock, ears = StoryClock(), dict[str, Ear]()
    with ExitStack() as stack:
        sandbox = stack.enter_context(SandboxServer(ears=ears, pace=0, clock=clock)).url
        settings = _only_here(load(folder / "config.toml"), sandbox)
        database = stack.enter_context(closing(connect(settings.database.url, folder)))
        upgrade(database)
        settings = stack.enter_context(answering(database, settings, clock))
        ears |= ears_of(settings, urlsplit(sandbox).port or 0)
        yield Stand(folder, settings, read_book(settings), database, clock, sandbox)


def console_link(stand: Stand) -> str:
    """Good once: whoever opens it chooses a password, and may do everything in the demo's console."""
    with stand.database.writing() as connection:
        token = add_user(connection, VISITOR, "admin", "demo", stand.clock())
    return f"{stand.settings.business.public_url}/welcome/{token}"


def _only_here(settings: Settings, sandbox: str) -> Settings:
    """Every provider is the sandbox, and no secret is used."""
    mine = {"base_url": sandbox, "rate": AT_ONCE, "token": None, "webhook_secret": None, "webhook_key": None}
    providers = {key: one.model_copy(update=mine) for key, one in settings.providers.items()}
    database = settings.database.model_copy(update={"url": f"sqlite:///{DATABASE}", "password": None})
    return settings.model_copy(update={"providers": providers, "database": database, "secret_key": None})
