"""Commands for whoever keeps it running."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from automation.cli.logs import start_logs
from automation.cli.options import CONFIG, Config, Json, Now, database_of, now_of, settings_of
from automation.cli.output import console, errors, show_json, show_pairs, show_table
from automation.clock import wall_clock
from automation.customers.load import import_customers, import_events
from automation.database.engine import Database, open_database
from automation.database.upgrade import backup, check, upgrade
from automation.delivery.dispatch import Dispatch
from automation.delivery.sandbox import serve
from automation.playbooks.load import read_book
from automation.reasons import BY_KEY
from automation.worker import runs
from automation.worker.evaluate import prepare_run
from automation.worker.scheduler import Worker
from automation.worker.workers import worker_name

FAILED = 1


def add_to(app: typer.Typer) -> None:
    database = typer.Typer(help="The database: migrations, integrity, online copy.", no_args_is_help=True)
    database.command("upgrade")(db_upgrade)
    database.command("check")(db_check)
    database.command("backup")(db_backup)
    app.add_typer(database, name="db")
    imports = typer.Typer(help="Customers and events from CSV, JSON Lines or Parquet.", no_args_is_help=True)
    imports.command("customers")(customers)
    imports.command("events")(events)
    app.add_typer(imports, name="import")
    for command in (evaluate, send, run, sandbox):
        app.command()(command)


def db_upgrade(config: Config = CONFIG, as_json: Json = False) -> None:
    """Bring the database to this program's schema; safe to run at any time, from several processes."""
    database = open_database(settings_of(config))
    revision = upgrade(database)
    database.close()
    show_json({"revision": revision}) if as_json else console.print(f"the database is at revision {revision}")


def db_check(config: Config = CONFIG, as_json: Json = False) -> None:
    """Integrity of the database file and its schema."""
    database = open_database(settings_of(config))
    problems = check(database)
    database.close()
    if as_json:
        show_json({"ok": not problems, "problems": problems})
    else:
        console.print("\n".join(problems) if problems else "the database is sound")
    if problems:
        raise typer.Exit(FAILED)


def db_backup(
    file: Annotated[Path, typer.Argument(help="A new file.")], config: Config = CONFIG, as_json: Json = False
) -> None:
    """Copy the database while it is in use."""
    database = open_database(settings_of(config))
    size = backup(database, file)
    database.close()
    show_json({"file": str(file), "bytes": size}) if as_json else console.print(f"{file}: {size:,} bytes")


File = Annotated[Path, typer.Argument(help="A .csv, .jsonl or .parquet file; .gz is fine.")]


def customers(file: File, config: Config = CONFIG, as_json: Json = False) -> None:
    """Import customers. Bad rows go to FILE.rejects.csv and stop nothing; a second import changes nothing."""
    _import(import_customers, file, config, as_json=as_json)


def events(file: File, config: Config = CONFIG, as_json: Json = False) -> None:
    """Import events. The same event id a second time changes nothing."""
    _import(import_events, file, config, as_json=as_json)


def _import(work: Callable[..., Any], file: Path, config: Path, *, as_json: bool) -> None:
    settings = settings_of(config)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    )
    with database_of(settings) as database, bar:
        task = bar.add_task(file.name, total=None)
        done = work(database, file, wall_clock(), lambda read, total: bar.update(task, completed=read, total=total))
    told = vars(done)
    show_json(told) if as_json else show_pairs(told)


def evaluate(
    now: Now = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """The daily run of a local date: stages, who enters and leaves playbooks, messages planned. Twice adds nothing."""
    settings = settings_of(config)
    moment = now_of(now, settings)
    start_logs()
    book = read_book(settings)
    with database_of(settings) as database:
        if dry_run:
            told = runs.dry_run(database, settings, book, moment)
        else:
            told = runs.evaluate(database, settings, book, worker_name(), moment)
    if as_json:
        show_json(told)
        return
    show_table(["stage", "customers"], list(told["stages"].items()), f"{told['date']}: where customers stand")
    show_pairs({key: told[key] for key in ("customers", "changes", "entered", "exited", "planned", "seconds")})
    _show_reasons(told)


def send(now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """Send what is due, until nothing is."""
    settings = settings_of(config)
    moment = now_of(now, settings)
    start_logs()
    with database_of(settings) as database:
        told = _dispatch(database, settings, (lambda: moment) if now else wall_clock)
    if as_json:
        show_json(told)
        return
    show_pairs({key: value for key, value in told.items() if key not in {"held", "skipped"}})
    _show_reasons(told)


def _dispatch(database: Database, settings: Any, clock: Callable[[], Any]) -> dict[str, Any]:
    book = read_book(settings)
    with database.writing() as connection:
        desk = prepare_run(connection, settings, book, clock())
    return asyncio.run(Dispatch(database, desk, clock, worker_name()).run())


def _show_reasons(told: dict[str, Any]) -> None:
    for what in ("held", "skipped"):
        rows = [(reason, count, BY_KEY[reason].sentence) for reason, count in told[what].items()]
        if rows:
            show_table([what, "messages", "because"], rows)


def run(config: Config = CONFIG) -> None:
    """The unattended worker: evaluates daily, dispatches, and finishes what is under way on SIGTERM."""
    settings = settings_of(config)
    start_logs(logging.INFO)
    read_book(settings)
    with database_of(settings) as database:
        Worker(database, settings, wall_clock).run()


def sandbox(
    port: Annotated[int, typer.Option(help="The port on 127.0.0.1; config.toml expects 8025.")] = 8025,
    keep: Annotated[Path | None, typer.Option(help="Keep what it takes in this file.")] = None,
) -> None:
    """A provider on this machine: speaks Postmark, Resend and Twilio, keeps every message, delivers nothing."""
    errors.print(f"the sandbox takes messages and shows them on http://127.0.0.1:{port}; Ctrl-C ends it")
    serve("127.0.0.1", port, keep)
