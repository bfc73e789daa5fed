"""What it was worth: figures over a period, as tables and charts, JSON, or a file for a spreadsheet."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automation.cli.options import CONFIG, Config, Json, Now
from automation.errors import BadInput

if TYPE_CHECKING:
    from automation.database.engine import Database
    from automation.reports.figures import Report
    from automation.reports.period import Period
    from automation.settings import Settings

NAMES = "funnel, transitions, rates, satisfaction, value, cohorts, playbooks, delivery, benchmark"


def add_to(app: typer.Typer) -> None:
    app.command()(report)


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"One of {NAMES}.")],
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="For benchmark: a CSV file with the figures to compare with."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="D",
            help="From this local date on; default: 30 days, or 12 months for cohorts and satisfaction.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="D", help="Up to this local date; default: the last daily run's.")
    ] = None,
    lifecycle: Annotated[
        str | None, typer.Option("--lifecycle", metavar="MODEL", help="Look through another lifecycle: name or file.")
    ] = None,
    playbook: Annotated[
        str | None, typer.Option("--playbook", metavar="P", help="For playbooks: only this one.")
    ] = None,
    table: Annotated[
        str | None, typer.Option("--table", metavar="T", help="Only this table; `figures` are the single numbers.")
    ] = None,
    as_csv: Annotated[
        bool,
        typer.Option("--csv", help="Print the main table (or --table) as CSV, safe to open in a spreadsheet."),
    ] = False,
    now: Now = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Figures over a period, each with the counts behind it. The first and the last date are included."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.figures import show_figures
    from automation.cli.views.table_file import write_table
    from automation.reports.asked import check_name

    if as_csv and as_json:
        raise BadInput("--csv and --json are two forms of one report; leave one out")
    if table and as_json:
        raise BadInput("--json has every table; leave --table out")
    check_name(name)
    settings = settings_of(config)
    with database_of(settings) as database:
        period = _period(database, settings, name, now, since, until)
        made = _made(database, settings, period, name, lifecycle, playbook, file, now)
    if as_json:
        show_json(made.as_dict())
    elif as_csv:
        write_table(made.table(table))
    else:
        show_figures(made, table)


def _made(
    database: "Database",
    settings: "Settings",
    period: "Period",
    name: str,
    lifecycle: str | None,
    playbook: str | None,
    file: Path | None,
    now: str | None,
) -> "Report":
    from automation.cli.opening import now_of
    from automation.playbooks.lifecycles import read_named
    from automation.playbooks.load import read_book
    from automation.reports.asked import Asked, report_of

    if (file is None) == (name == "benchmark"):
        raise BadInput("FILE is for `report benchmark FILE`: a CSV file with the columns metric and value")
    book = read_book(settings)
    model = read_named(settings, lifecycle)[1][0] if lifecycle else book.lifecycle
    moment = now_of(now, settings)
    with database.reading() as connection:
        asked = Asked(connection, settings, book, period, model, moment, playbook, file)
        return report_of(name, asked)


def _period(
    database: "Database", settings: "Settings", name: str, now: str | None, since: str | None, until: str | None
) -> "Period":
    """The dates asked for; without any the usual span up to the last run, or to the instant of --now."""
    from automation.cli.opening import date_of, now_of
    from automation.clock import local_date
    from automation.lifecycle.standing import last_run
    from automation.reports.asked import USUAL_MONTHS
    from automation.reports.period import Period

    zone = settings.business.zone
    moment = now_of(now, settings)
    last = date_of(until, "--until")
    if last is None:
        with database.reading() as connection:
            last = local_date((last_run(connection) if now is None else None) or moment, zone)
    usual = Period.up_to(last, zone, months=USUAL_MONTHS.get(name, 0))
    first = date_of(since, "--since")
    if first is None:
        return usual
    if first > last:
        raise BadInput(f"--since {first} is after --until {last}; a report goes from the earlier to the later date")
    return Period(first, last, zone)
