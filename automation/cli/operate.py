"""Commands for whoever keeps it running."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from automation.cli.options import CONFIG, Config, Json, Now

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
    for command in (evaluate, send):
        app.command()(command)


def db_upgrade(config: Config = CONFIG, as_json: Json = False) -> None:
    """Bring the database to this program's schema; safe to run at any time, from several processes."""
    from automation.cli.opening import settings_of
    from automation.cli.output import console, show_json
    from automation.database.engine import open_database
    from automation.database.upgrade import upgrade

    database = open_database(settings_of(config))
    revision = upgrade(database)
    database.close()
    show_json({"revision": revision}) if as_json else console.print(f"the database is at revision {revision}")


def db_check(config: Config = CONFIG, as_json: Json = False) -> None:
    """Integrity of the database file and its schema."""
    from automation.cli.opening import settings_of
    from automation.cli.output import console, show_json
    from automation.database.engine import open_database
    from automation.database.upgrade import check

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
    from automation.cli.opening import settings_of
    from automation.cli.output import console, show_json
    from automation.database.engine import open_database
    from automation.database.upgrade import backup

    database = open_database(settings_of(config))
    size = backup(database, file)
    database.close()
    show_json({"file": str(file), "bytes": size}) if as_json else console.print(f"{file}: {size:,} bytes")


File = Annotated[Path, typer.Argument(help="A .csv, .jsonl or .parquet file; .gz is fine.")]


def customers(
    file: File,
    basis: Annotated[
        Literal["import", "soft_opt_in"],
        typer.Option(metavar="import|soft_opt_in", help="What its consents rest on; a purchase is a soft opt-in."),
    ] = "import",
    wording: Annotated[str | None, typer.Option(help="What these customers agreed to, word for word.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Import customers. Bad rows go to FILE.rejects.csv and stop nothing; a second import changes nothing."""
    from automation.cli.importing import import_file
    from automation.customers.consent import Evidence
    from automation.customers.load import import_customers

    work = partial(import_customers, evidence=Evidence(basis, wording))
    import_file(work, file, config, as_json=as_json)


def events(file: File, config: Config = CONFIG, as_json: Json = False) -> None:
    """Import events. The same event id a second time changes nothing."""
    from automation.cli.importing import import_file
    from automation.customers.load import import_events

    import_file(import_events, file, config, as_json=as_json)


def evaluate(
    now: Now = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """The daily run of a local date: stages, who enters and leaves playbooks, messages planned. Twice adds nothing."""
    from automation.cli.logs import start_logs
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.run import show_run
    from automation.delivery.workers import worker_name
    from automation.playbooks.load import read_book
    from automation.reports.kept import keep_figures
    from automation.worker import runs

    settings = settings_of(config)
    moment = now_of(now, settings)
    start_logs()
    book = read_book(settings)
    with database_of(settings) as database:
        if dry_run:
            told = runs.dry_run(database, settings, book, moment)
        else:
            told = runs.evaluate(database, settings, book, worker_name(), moment)
            keep_figures(database, settings, book, moment)
    show_json(told) if as_json else show_run(told)


def send(now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """Send what is due, until nothing is."""
    from automation.cli.logs import start_logs
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.sending import send_due
    from automation.cli.views.run import show_sent
    from automation.clock import wall_clock

    settings = settings_of(config)
    moment = now_of(now, settings)
    start_logs()
    with database_of(settings) as database:
        told = send_due(database, settings, (lambda: moment) if now else wall_clock)
    show_json(told) if as_json else show_sent(told)
