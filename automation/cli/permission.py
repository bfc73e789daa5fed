"""Commands for whoever hears from customers what they want and do not want."""

from typing import Annotated, Literal

import typer

from automation.cli.intervene import By, Note
from automation.cli.options import CONFIG, Config, Json


def add_to(app: typer.Typer) -> None:
    for command in (consent, texts, review):
        app.command()(command)


def consent(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER", help="Their id.")],
    channel: Annotated[Literal["email", "sms"], typer.Argument(metavar="email|sms")],
    answer: Annotated[Literal["yes", "no"], typer.Argument(metavar="yes|no", help="What they said.")],
    by: By,
    wording: Annotated[
        str, typer.Option("--wording", help="For a yes: what they agreed to, word for word; kept for good.")
    ] = "",
    topic: Annotated[str, typer.Option("--topic", help="Only this topic; default all of the channel.")] = "*",
    note: Note = "",
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Record what a customer told a person: a no is heeded before the next post, a yes needs its wording."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json
    from automation.clock import wall_clock
    from automation.customers.consent import EVERY_TOPIC
    from automation.customers.wish import Wish, record_wish
    from automation.errors import BadInput, suggest
    from automation.playbooks.load import read_book

    settings = settings_of(config)
    if topic != EVERY_TOPIC:
        known = {playbook.model.topic for playbook in read_book(settings).playbooks.values()}
        if topic not in known:
            raise BadInput(f'--topic: no playbook has the topic "{topic}"; {suggest(topic, known)}')
    wish = Wish(customer_id, channel, topic, answer == "yes", wording)
    with database_of(settings) as database, database.writing() as connection:
        closed = record_wish(connection, wish, by, note, wall_clock())
    about = channel if topic == "*" else f"{channel}, {topic}"
    told = {"customer_id": customer_id, "channel": channel, "topic": topic, "granted": wish.granted, "closed": closed}
    but = f"; nothing is sent there all the same, for the address is {closed}" if wish.granted and closed else ""
    show_json(told) if as_json else console.print(f"{customer_id} said {answer} to {about}{but}")


def texts(
    to_review: Annotated[
        bool, typer.Option("--review", help="Only those that may have meant stop and nobody has read yet.")
    ] = False,
    customer: Annotated[str | None, typer.Option("--customer", metavar="ID", help="Only from this one.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Texts that came in, the newest first, and what each was taken for. JSON Lines with --json."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json, show_table
    from automation.cli.views.texts import TEXTS, text_cells
    from automation.delivery.outcomes.review import texts_of, texts_to_review

    settings = settings_of(config)
    with database_of(settings) as database, database.reading() as connection:
        found = texts_to_review(connection) if to_review else texts_of(connection, customer)
    if as_json:
        for row in found:
            show_json(dict(row._mapping))  # noqa: SLF001 (SQLAlchemy's public name for it)
    elif found:
        show_table(TEXTS, [text_cells(dict(row._mapping), settings.business.zone) for row in found])  # noqa: SLF001 (likewise)
    else:
        console.print("no text waits for a review" if to_review else "no text came in yet")


def review(
    number: Annotated[int, typer.Argument(metavar="TEXT", min=1, max=2**63 - 1, help="Of `automation texts`.")],
    verdict: Annotated[Literal["stop", "keep"], typer.Argument(metavar="stop|keep", help="What it meant.")],
    by: By,
    note: Note = "",
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Say what a text meant that was suspected of meaning stop: no more texts to them, or go on as before."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json
    from automation.clock import wall_clock
    from automation.delivery.outcomes import review as reviewing

    with database_of(settings_of(config)) as database, database.writing() as connection:
        reviewing.review(connection, number, verdict, by, note, wall_clock())
    line = "no more texts go to them" if verdict == "stop" else "texts to them go on"
    show_json({"text": number, "verdict": verdict}) if as_json else console.print(f"text {number}: {line}")
