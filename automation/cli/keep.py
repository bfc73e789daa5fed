"""Commands for whoever keeps its promises: the checker and the doctor."""

from typing import Annotated

import typer

from automation.cli.options import CONFIG, Config, Json

FAILED = 1


def add_to(app: typer.Typer) -> None:
    for command in (verify, doctor):
        app.command()(command)


def verify(
    since: Annotated[
        str | None,
        typer.Option(metavar="T", help="Judge caps and windows from then on: changed settings have no history."),
    ] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Check every row against the delivery promise. Changes nothing."""
    from automation.cli.opening import settings_of, start_of
    from automation.cli.output import progress, show_json
    from automation.cli.views.report import show_report
    from automation.database.engine import open_database
    from automation.database.upgrade import require_current
    from automation.delivery import verify as checker

    settings = settings_of(config)
    start = start_of(since, settings.business.zone)
    database = open_database(settings)
    try:
        require_current(database)
        with progress("checking") as told:
            report = checker.verify(database, settings, start, told)
    finally:
        database.close()
    show_json(report.as_dict()) if as_json else show_report(report)
    if not report.ok:
        raise typer.Exit(FAILED)


def doctor(config: Config = CONFIG, as_json: Json = False) -> None:
    """Configuration, clock, zones, database and the way to the providers. Changes nothing, sends nothing."""
    from automation.cli.opening import settings_of
    from automation.cli.output import show_json, show_table
    from automation.clock import wall_clock
    from automation.delivery.doctor import examine

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
