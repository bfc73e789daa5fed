"""Commands for support staff: where customers stand, one customer, why they got something or not, the send log."""

import csv
import sys
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any

import typer

from automation.cli.options import CONFIG, Config, Json, Now, database_of, instant_of, now_of, settings_of
from automation.cli.output import errors, json_ready, show_json, show_table
from automation.cli.views.customer import show_customer
from automation.cli.views.explain import show_explanations
from automation.cli.views.log import show_log
from automation.cli.views.message import show_message
from automation.clock import day_start
from automation.customers.lookup import find_customer
from automation.database.schema import STATUSES
from automation.delivery.desk import open_desk
from automation.delivery.explain import explain as explain_playbooks
from automation.delivery.history import LOG_KEYS, LogFilter, log_rows, message_told, playbooks_in_log
from automation.delivery.past import Past
from automation.delivery.profile import customer_told
from automation.errors import BadInput, suggest
from automation.lifecycle.conditions import Day
from automation.lifecycle.standing import standing_as_of, standing_at_last_run
from automation.playbooks.load import playbook_files, read_book
from automation.settings import Settings

NEWEST = 50
# A spreadsheet runs a cell that begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")
CustomerId = Annotated[str, typer.Argument(metavar="ID", help="The customer's id.")]


def add_to(app: typer.Typer) -> None:
    for command in (stages, customer, explain, log, message):
        app.command()(command)


def stages(now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """How many customers stand in each stage: as of the last daily run, or as of any instant with --now."""
    settings = settings_of(config)
    moment = now_of(now, settings)
    book = read_book(settings)
    with database_of(settings) as database, database.reading() as connection:
        standing = standing_at_last_run(connection, book.lifecycle) if now is None else None
        if standing is None:
            standing = standing_as_of(connection, book.lifecycle, book.facts, Day(moment, settings.business.zone))
    found = [
        {"key": one.key, "name": one.name, "roles": list(one.roles), "customers": standing.customers[one.key]}
        for one in book.lifecycle.stages
    ]
    if as_json:
        show_json({"now": standing.now, "lifecycle": book.lifecycle.key, "stages": found})
        return
    zone = settings.business.zone
    title = f"{book.lifecycle.name}, as of {standing.now.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    show_table(["stage", "name", "roles", "customers"], [list(one.values()) for one in found], title)
    if standing.waiting:
        errors.print(f"{standing.waiting:,} customers came since and are counted at the next daily run")


def customer(customer_id: CustomerId, now: Now = None, config: Config = CONFIG, as_json: Json = False) -> None:
    """One customer: facts, stage and its history, consent, enrollments, messages."""
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
    """The send log, the newest message first. On a long log name a customer or a span of time: those have an index."""
    if as_csv and as_json:
        raise BadInput("--csv and --json are two forms of one log; leave one out")
    settings = settings_of(config)
    shown = limit if limit or as_csv or as_json else NEWEST
    span = (_start(since, settings), _end(until, settings))
    with database_of(settings) as database, database.reading() as connection:
        _check_status(status)
        if customer is not None:
            find_customer(connection, customer)
        if playbook is not None:
            known = playbooks_in_log(connection) | {file.stem for file in playbook_files(settings)}
            _check_word("playbook", playbook, known)
        rows = log_rows(connection, LogFilter(customer, playbook, status, *span, shown))
        if as_csv:
            _write_csv(rows)
        elif as_json:
            for row in rows:
                show_json(row)
        else:
            show_log(list(rows), settings.business.zone, limited=limit is None)


def _check_status(status: str | None) -> None:
    if status is not None:
        _check_word("status", status, STATUSES)


def _check_word(what: str, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise BadInput(f'no {what} "{word}"; {suggest(word, known)}')


def _start(text: str | None, settings: Settings) -> datetime | None:
    day = _date(text)
    if day is not None:
        return day_start(day, settings.business.zone)
    return None if text is None else instant_of(text, "--since")


def _end(text: str | None, settings: Settings) -> datetime | None:
    day = _date(text)
    if day is not None:
        return day_start(day + timedelta(days=1), settings.business.zone) - timedelta(microseconds=1)
    return None if text is None else instant_of(text, "--until")


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("2026-01-31") else None
    except ValueError:
        raise BadInput(f'"{text}" is no date; write one like 2026-01-31') from None


def _write_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    written = csv.writer(sys.stdout, lineterminator="\n")
    written.writerow(LOG_KEYS)
    for row in rows:
        written.writerow([_cell(row[key]) for key in LOG_KEYS])


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return json_ready(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def message(
    message_id: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=2**63 - 1, help="A message_id of the send log.")
    ],
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """One message: why it was or was not sent, every attempt, its outcomes, and the copy as it was sent."""
    settings = settings_of(config)
    with database_of(settings) as database, database.reading() as connection:
        told = message_told(connection, message_id, settings.business.locale)
    show_json(told) if as_json else show_message(told, settings.business.zone)
