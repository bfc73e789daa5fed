"""`automation demo`: everything on one screen with no set-up, in a folder of its own that is gone afterwards."""

import logging
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.cli.options import Json


def add_to(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    customers: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many customers the shop has.")] = 2_000,
    no_serve: Annotated[
        bool, typer.Option("--no-serve", help="End at once; do not go on serving the console and the mailbox.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep everything in this new folder, to try more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Everything on one screen: a made-up shop, its customers' stages, an evaluated day, messages, and why."""
    from automation.cli.demo_place import console_link, own_folder, own_stand
    from automation.cli.demo_screen import show, show_pages
    from automation.cli.demo_story import live
    from automation.cli.logs import start_logs
    from automation.cli.output import errors, show_json
    from automation.clock import wall_clock

    start_logs()
    logging.getLogger("automation.delivery.alerts").setLevel(logging.CRITICAL)  # the story looks twice a day only
    for ended in (signal.SIGTERM, signal.SIGINT):  # it cleans up, also where a shell has let Ctrl-C mean nothing
        signal.signal(ended, signal.default_int_handler)
    serves = sys.stdout.isatty() and not no_serve and not as_json
    with own_folder(keep) as folder, own_stand(folder) as stand:
        there = folder if serves or keep is not None else None  # when this has ended, or while it serves
        with errors.status("making up a shop …") as status:
            story = live(stand, customers, wall_clock(), lambda what: status.update(f"{what} …"))
        told = {**story, "mailbox": stand.sandbox, "folder": str(folder), "next": _next(story, there)}
        show_json(told) if as_json else show(told)
        if serves:
            show_pages(console_link(stand), stand.sandbox, folder)
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


def _wait() -> None:
    """Until Ctrl-C; the sandbox serves its pages from a thread of its own."""
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("\n")
