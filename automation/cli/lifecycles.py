"""Commands for whoever chooses a lifecycle."""

from typing import Annotated

import typer

from automation.cli.options import CONFIG, Config, Json, Now

Model = "A lifecycle file, or the name of one beside the lifecycle in use."


def add_to(app: typer.Typer) -> None:
    group = typer.Typer(help="Lifecycles: what another one would say of the same customers.", no_args_is_help=True)
    group.callback()(lambda: None)
    group.command("compare")(compare)
    app.add_typer(group, name="lifecycle")


def compare(
    one: Annotated[str, typer.Argument(metavar="A", help=Model)],
    other: Annotated[str, typer.Argument(metavar="B", help=Model)],
    now: Now = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """How many customers stand in each stage of A and of B at once, as of any instant; nothing is changed."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.compared import compared_told, show_compared
    from automation.lifecycle.conditions import Day
    from automation.lifecycle.standing import standing_under_both
    from automation.playbooks.lifecycles import read_named

    settings = settings_of(config)
    day = Day(now_of(now, settings), settings.business.zone)
    facts, (a, b) = read_named(settings, one, other)
    with database_of(settings) as database, database.reading() as connection:
        counts = standing_under_both(connection, a, b, facts, day)
    show_json(compared_told(counts, a, b, day.now)) if as_json else show_compared(counts, a, b, day)
