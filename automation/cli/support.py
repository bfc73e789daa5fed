"""Commands for support staff: where customers stand, one customer, why they got something or not, the send log."""

import sys
from typing import Annotated

import typer

from automation.cli.options import CONFIG, Config, Json, Now
from automation.errors import BadInput
from automation.reasons import STATUSES

NEWEST = 50
CustomerId = Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")]


def add_to(app: typer.Typer) -> None:
    for command in (stages, customer, explain, log, message):
        app.command()(command)


def stages(now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """How many customers stand in each stage: as of the last daily run, or as of any instant with --now."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.stages import show_stages, stages_told
    from automation.lifecycle.conditions import Day
    from automation.lifecycle.standing import standing_as_of, standing_at_last_run
    from automation.playbooks.load import read_book

    settings = settings_of(config)
    moment = now_of(now, settings)
    book = read_book(settings)
    with database_of(settings) as database, database.reading() as connection:
        standing = standing_at_last_run(connection, book.lifecycle) if now is None else None
        if standing is None:
            standing = standing_as_of(connection, book.lifecycle, book.facts, Day(moment, settings.business.zone))
    told = stages_told(standing, book.lifecycle)
    show_json(told) if as_json else show_stages(told, standing, book.lifecycle, settings.business.zone)


def customer(customer_id: CustomerId, now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """One customer: facts, stage and its history, consent, enrollments, messages."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.customer import show_customer
    from automation.delivery.answers.history import LogFilter
    from automation.delivery.answers.log import log_rows
    from automation.delivery.answers.past import Past
    from automation.delivery.answers.profile import customer_told
    from automation.delivery.desk import open_desk
    from automation.playbooks.load import read_book

    settings = settings_of(config)
    moment = now_of(now, settings)
    book = read_book(settings)
    with database_of(settings) as database, database.reading() as connection:
        past = Past(connection, open_desk(connection, settings, book), customer_id, moment)
        told = customer_told(past, list(log_rows(connection, LogFilter(customer_id=customer_id))))
    show_json(told) if as_json else show_customer(told, moment, book.lifecycle, settings.business.zone)


def explain(
    customer_id: CustomerId,
    playbook: Annotated[str | None, typer.Argument(metavar="[PLAYBOOK]", help="Only this playbook.")] = None,
    now: Now = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Why a customer did or did not get each playbook: every condition with the values seen, every gate."""
    from automation.cli.opening import database_of, now_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.explain import show_explanations
    from automation.delivery.answers.explain import explain as explain_playbooks
    from automation.delivery.answers.past import Past
    from automation.delivery.desk import open_desk
    from automation.playbooks.load import read_book

    settings = settings_of(config)
    moment = now_of(now, settings)
    book = read_book(settings)
    with database_of(settings) as database, database.reading() as connection:
        past = Past(connection, open_desk(connection, settings, book), customer_id, moment)
        found = explain_playbooks(past, playbook)
    if as_json:
        told = [one.as_dict() for one in found]
        show_json({"customer_id": customer_id, "now": moment, "playbooks": told})
        return
    show_explanations(customer_id, moment, found, settings.business.zone)


def log(
    customer: Annotated[str | None, typer.Option("--customer", metavar="ID", help="Only this customer's.")] = None,
    playbook: Annotated[str | None, typer.Option("--playbook", metavar="P", help="Only this playbook's.")] = None,
    status: Annotated[str | None, typer.Option("--status", metavar="S", help=", ".join(STATUSES))] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="R", help="Only with this reason.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="Planned at or after this instant or date.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="T", help="Planned up to this instant, or the end of this date.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help=f"Only the newest so many; default {NEWEST}, or all as a file.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, safe to open in a spreadsheet.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """The send log, the newest message first. Everything in it is found through an index, however long it is."""
    from automation.cli.log_filter import check_filter
    from automation.cli.opening import database_of, end_of, settings_of, start_of
    from automation.cli.output import show_json
    from automation.cli.views.log import show_log
    from automation.delivery.answers.history import LogFilter
    from automation.delivery.answers.log import log_rows
    from automation.delivery.answers.log_file import csv_lines

    if as_csv and as_json:
        raise BadInput("--csv and --json are two forms of one log; leave one out")
    settings = settings_of(config)
    shown = limit if limit or as_csv or as_json else NEWEST
    zone = settings.business.zone
    wanted = LogFilter(customer, playbook, status, start_of(since, zone), end_of(until, zone), shown, reason=reason)
    with database_of(settings) as database, database.reading() as connection:
        check_filter(connection, settings, wanted)
        rows = log_rows(connection, wanted)
        if as_csv:
            sys.stdout.writelines(csv_lines(rows))
        elif as_json:
            for row in rows:
                show_json(row)
        else:
            show_log(list(rows), zone, limited=limit is None)


def message(
    message_id: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="A message_id of the send log.")
    ],
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """One message: why it was or was not sent, every attempt, its outcomes, and the copy as it was sent."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import show_json
    from automation.cli.views.message import show_message
    from automation.delivery.answers.one_message import message_told

    settings = settings_of(config)
    with database_of(settings) as database, database.reading() as connection:
        told = message_told(connection, message_id, settings.business.locale)
    show_json(told) if as_json else show_message(told, settings.business.zone)
