"""Commands for whoever keeps its promises: the checker and the doctor."""

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from automation.cli.options import CONFIG, Config, Json, instant_of, settings_of
from automation.cli.output import console, errors, show_json, show_table
from automation.clock import wall_clock
from automation.database.engine import open_database
from automation.database.upgrade import require_current
from automation.delivery import verify as checker
from automation.delivery.doctor import examine
from automation.delivery.verify import LISTED, Report

FAILED = 1


def add_to(app: typer.Typer) -> None:
    for command in (verify, doctor):
        app.command()(command)


def verify(
    since: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Judge caps and windows from then on: changed settings have no history."),
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Check every row against the delivery promise. Changes nothing."""
    settings = settings_of(config)
    start = instant_of(since, "--since") if since else None
    bar = Progress(TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=errors, transient=True)
    database = open_database(settings)
    try:
        require_current(database)
        with bar:
            task = bar.add_task("checking", total=None)
            report = checker.verify(
                database, settings, start, lambda done, total: bar.update(task, completed=done, total=total)
            )
    finally:
        database.close()
    show_json(report.as_dict()) if as_json else _show_report(report)
    if not report.ok:
        raise typer.Exit(FAILED)


def _show_report(report: Report) -> None:
    if report.ok:
        console.print("every row keeps the delivery promise")
        return
    rows = []
    for one in report.violations:
        whose = ", ".join(f"{name.removesuffix('_id')} {value}" for name, value in one.about.items())
        rows.append((one.invariant, whose, one.told))
    show_table(["promise", "of", "what is wrong"], rows)
    for invariant, count in sorted(report.counts.items()):
        listed = f", {LISTED} are listed" if count > LISTED else ""
        console.print(Text(f"{invariant}: {count:,}{listed}"))


def doctor(config: Config = CONFIG, as_json: Json = False) -> None:
    """Configuration, clock, zones, database and the way to the providers. Changes nothing, sends nothing."""
    if not config.is_file():
        settings_of(config)
    checks = examine(config, wall_clock())
    ok = all(one.ok for one in checks)
    if as_json:
        show_json({"ok": ok, "checks": [vars(one) for one in checks]})
    else:
        show_table(
            ["", "check", "found", "next"],
            [("ok" if one.ok else "FAILS", one.check, one.told, one.hint) for one in checks],
        )
    if not ok:
        raise typer.Exit(FAILED)
