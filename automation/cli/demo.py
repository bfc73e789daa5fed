"""`automation demo`: everything on one screen with no set-up, in a folder of its own that is gone afterwards."""

import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.cli.demo_screen import show, show_mailbox
from automation.cli.demo_story import Stand, live
from automation.cli.logs import start_logs
from automation.cli.options import Json
from automation.cli.output import console, errors, show_json
from automation.cli.starter import copy_starter
from automation.clock import wall_clock
from automation.database.engine import connect
from automation.database.upgrade import upgrade
from automation.delivery.sandbox import SandboxServer
from automation.playbooks.load import read_book
from automation.settings import Settings, load
from automation.values import Rate

DATABASE = "automation.db"
# The sandbox is as quick as this machine; the demo shall be, too.
AT_ONCE = Rate(10_000, timedelta(seconds=1))


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many customers the shop has.")] = 2_000,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="End at once; do not go on serving the mailbox.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep everything in this new folder, to try more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Everything on one screen: a made-up shop, its customers' stages, an evaluated day, messages, and why."""
    start_logs()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, it cleans up, too
    serves = sys.stdout.isatty() and not no_serve and not as_json
    with _folder(keep) as folder, SandboxServer() as sandbox, _stand(folder, sandbox.url) as stand:
        there = folder if serves or keep is not None else None  # when this has ended, or while it serves
        with errors.status("making up a shop …") as status:
            story = live(stand, customers, wall_clock(), lambda what: status.update(f"{what} …"))
        told = {**story, "mailbox": sandbox.url, "folder": str(folder), "next": _next(story, there)}
        show_json(told) if as_json else show(told)
        if serves:
            show_mailbox(sandbox.url, folder)
            _wait()


def _next(story: dict[str, Any], folder: Path | None) -> dict[str, str]:
    """Three commands to try, and what each does; `folder` is None when there is nothing left to look into."""
    if folder is None:
        return {
            "automation demo --keep shop": "the same, with files and database to look into",
            "automation init my-shop": "a folder of your own: config.toml, playbooks, templates",
            "automation --help": "all there is",
        }
    config = f"--config {folder / 'config.toml'}"
    somebody = story["explained"][0]["customer_id"] if story["explained"] else "c00001"
    return {
        f"automation customer {somebody} {config}": "all that is known of one customer",
        f"automation explain {somebody} {config}": "why they got what they got",
        f"automation log {config}": "the whole send log",
    }


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """A folder with the starter's files, gone in the end unless it is to be kept."""
    if keep is not None:
        copy_starter(keep)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="automation-demo-", ignore_cleanup_errors=True) as name:
        copy_starter(Path(name))
        yield Path(name)


@contextmanager
def _stand(folder: Path, sandbox: str) -> Iterator[Stand]:
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


def _wait() -> None:
    """Until Ctrl-C; the sandbox serves its pages from a thread of its own."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print()
