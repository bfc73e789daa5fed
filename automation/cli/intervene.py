"""Commands for whoever is on call: stop the sending, let it go on, settle what nobody knows."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from automation.cli.options import CONFIG, Config, Json, Now

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from automation.database.engine import Database
    from automation.settings import Settings

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; kept for good.")]
Note = Annotated[str, typer.Option("--note", help="Why; kept for good.")]
What = Annotated[str, typer.Argument(metavar="WHAT", help='"everything", a playbook, provider:NAME or customer:ID.')]


def add_to(app: typer.Typer) -> None:
    for command in (pause, resume, pauses, alerts, unknown, resolve, resend):
        app.command()(command)


def pause(
    what: What,
    by: By,
    note: Note = "",
    until: Annotated[str | None, typer.Option("--until", metavar="INSTANT", help="Goes on by itself then.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Post nothing more: of a playbook, to a customer, or at all; what is due waits. Heeded with the next post."""
    from automation.cli.opening import database_of, instant_of, settings_of
    from automation.clock import wall_clock
    from automation.delivery.health import by_hand

    settings = settings_of(config)
    end = None if until is None else instant_of(until, "--until")
    with database_of(settings) as database, database.writing() as connection:
        _check(connection, what, settings)
        scope = _scope(what)
        by_hand.pause(connection, scope, by, note, end, wall_clock())
    _told({"paused": scope, "until": end}, f"{scope} is paused", as_json=as_json)


def resume(what: What, by: By, note: Note = "", config: Config = CONFIG, as_json: Json = False) -> None:
    """End a pause; what waits is decided anew."""
    from automation.cli.opening import database_of, settings_of
    from automation.clock import wall_clock
    from automation.delivery.health import by_hand

    with database_of(settings_of(config)) as database, database.writing() as connection:
        scope = _scope(what)
        by_hand.resume(connection, scope, by, note, wall_clock())
    _told({"resumed": scope}, f"{scope} goes on", as_json=as_json)


def pauses(config: Config = CONFIG, as_json: Json = False) -> None:
    """What is paused, by people or because a provider refused us; and what a provider has slowed down."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json, show_table
    from automation.clock import wall_clock
    from automation.delivery.health.by_hand import pauses_now
    from automation.delivery.health.rates import slowed

    settings = settings_of(config)
    with database_of(settings) as database, database.reading() as connection:
        found = pauses_now(connection, wall_clock())
        rates = slowed(connection, settings.providers, wall_clock())
    if as_json:
        paused = [dict(row._mapping) for row in found]  # noqa: SLF001 (SQLAlchemy's public name for it)
        show_json({"pauses": paused, "slowed": rates})
        return
    if found:
        show_table(["paused", "why", "since", "until"], [tuple(row) for row in found])
    else:
        console.print("nothing is paused")
    for provider, rate in rates.items():
        console.print(f"{provider} is slowed to {rate}; it recovers by itself")


def alerts(
    every: Annotated[bool, typer.Option("--all", help="Also those that are over: the last hundred.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """What somebody has to know: a provider or a playbook that was stopped, messages of which nobody knows."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json, show_table
    from automation.delivery.alerts.incidents import incidents_now

    with database_of(settings_of(config)) as database, database.reading() as connection:
        found = incidents_now(connection, ended_too=every)
    if as_json:
        show_json({"alerts": [dict(row._mapping) for row in found]})  # noqa: SLF001 (SQLAlchemy's public name for it)
    elif found:
        show_table(["kind", "about", "what happened", "since", "until"], [tuple(row) for row in found])
    else:
        console.print("there was no alert yet" if every else "there is no open alert")


def unknown(
    look_up: Annotated[bool, typer.Option("--look-up", help="Ask the providers now, and say what was found.")] = False,
    now: Now = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Messages of which nobody knows whether they were taken, the newest first. The worker asks providers by itself."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import console, show_json
    from automation.cli.views.log import show_log
    from automation.delivery.answers.history import LogFilter
    from automation.delivery.answers.log import log_rows

    settings = settings_of(config)
    with database_of(settings) as database:
        if look_up:
            told = _looked_up(database, settings, now_of(now, settings))
            show_json(told) if as_json else console.print("asked about {asked:,}, found {found:,}".format(**told))
        with database.reading() as connection:
            rows = list(log_rows(connection, LogFilter(status="unknown")))
    if as_json:
        for row in () if look_up else rows:
            show_json(row)
    elif rows:
        show_log(rows, settings.business.zone, limited=False)
    else:
        console.print("there is no message of which nobody knows")


def _looked_up(database: "Database", settings: "Settings", moment: "datetime") -> dict[str, int]:
    import asyncio

    from automation.delivery.desk import open_desk
    from automation.delivery.recovery.look_up import look_up_all
    from automation.playbooks.load import read_book

    with database.reading() as connection:
        desk = open_desk(connection, settings, read_book(settings))
    return asyncio.run(look_up_all(database, desk, moment)).as_dict()


def resolve(
    message_id: Annotated[
        int, typer.Argument(metavar="MESSAGE", min=1, max=2**63 - 1, help="Of `automation unknown`.")
    ],
    verdict: Annotated[Literal["sent", "failed"], typer.Argument(metavar="sent|failed", help="What became of it.")],
    by: By,
    note: Note = "",
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Say what became of an unknown message, once you know. It is never sent again either way."""
    from automation.cli.opening import database_of, settings_of
    from automation.clock import wall_clock
    from automation.delivery.health import by_hand

    with database_of(settings_of(config)) as database, database.writing() as connection:
        by_hand.resolve(connection, message_id, verdict, by, note, wall_clock())
    _told({"message_id": message_id, "status": verdict}, f"message {message_id} is {verdict}", as_json=as_json)


def resend(
    message_id: Annotated[int, typer.Argument(metavar="MESSAGE", min=1, max=2**63 - 1, help="Of `automation log`.")],
    by: By,
    note: Note = "",
    now: Now = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Send a message once more, because somebody asks. Consent, suppressions, hours and pauses are heeded."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.clock import local_text
    from automation.delivery.desk import open_desk
    from automation.delivery.resend import Wish
    from automation.delivery.resend import resend as send_again
    from automation.playbooks.load import read_book

    settings = settings_of(config)
    moment, book = now_of(now, settings), read_book(settings)
    with database_of(settings) as database, database.writing() as connection:
        desk = open_desk(connection, settings, book)
        made = send_again(connection, desk, Wish(message_id, by, note), moment)
    waits = made.waits
    when = f"from {local_text(waits.until, settings.business.zone)} on: {waits.reason.sentence}" if waits else "next"
    told: dict[str, object] = {
        "message_id": made.message_id,
        "again_of": message_id,
        "waits_until": waits.until if waits else None,
    }
    _told(told, f"message {made.message_id} is a copy of {message_id} and goes out {when}", as_json=as_json)


def _scope(what: str) -> str:
    """The scope that a pause is kept under."""
    return what if what == "everything" or what.startswith(("provider:", "customer:")) else f"playbook:{what}"


def _check(connection: "Connection", what: str, settings: "Settings") -> None:
    from automation.customers.lookup import find_customer
    from automation.errors import BadInput, suggest
    from automation.playbooks.load import playbook_files

    if what.startswith("customer:"):
        find_customer(connection, what.removeprefix("customer:"))
        return
    playbooks = [file.stem for file in playbook_files(settings)]
    known = ["everything", *playbooks, *(f"provider:{name}" for name in settings.providers)]
    if what not in known:
        raise BadInput(f'nothing to pause is called "{what}"; {suggest(what, known)}')


def _told(result: dict[str, object], line: str, *, as_json: bool) -> None:
    from automation.cli.output import console, show_json

    show_json(result) if as_json else console.print(line)
