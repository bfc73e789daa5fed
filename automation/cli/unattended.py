"""Commands that go on until they are told to end: the worker, the web application, the sandbox."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from automation.cli.options import CONFIG, Config, JsonLogs


def add_to(app: typer.Typer) -> None:
    for command in (run, serve, sandbox):
        app.command()(command)


def run(
    serve: Annotated[bool, typer.Option("--serve", help="Do what `serve` does, too, in the same process.")] = False,
    json_logs: JsonLogs = False,
    config: Config = CONFIG,
) -> None:
    """The unattended worker: evaluates daily, dispatches, and finishes what is under way on SIGTERM."""
    from automation.cli.logs import start_logs
    from automation.cli.opening import database_of, settings_of
    from automation.cli.together import telling, work_and_serve
    from automation.clock import wall_clock
    from automation.playbooks.load import read_book
    from automation.worker.scheduler import Worker

    settings = settings_of(config)
    start_logs(logging.INFO, settings, as_json=json_logs)
    read_book(settings)
    with database_of(settings) as database:
        if serve:
            work_and_serve(database, settings, wall_clock, telling(settings, as_json=json_logs))
        else:
            Worker(database, settings, wall_clock).run()


def serve(json_logs: JsonLogs = False, config: Config = CONFIG) -> None:
    """The console; answer the links in messages, to unsubscribe and to choose, and what providers call."""
    from automation.cli.logs import start_logs
    from automation.cli.opening import database_of, settings_of
    from automation.cli.together import telling
    from automation.clock import wall_clock
    from automation.web.server import serve as answer

    settings = settings_of(config)
    start_logs(logging.INFO, settings, as_json=json_logs)
    tell = telling(settings, as_json=json_logs)
    with database_of(settings) as database:
        answer(database, settings, wall_clock, tell)


def sandbox(
    port: Annotated[
        int, typer.Option(min=1, max=65_535, help="The port on 127.0.0.1; config.toml expects 8025.")
    ] = 8025,
    keep: Annotated[Path | None, typer.Option(help="Keep what it takes in this file.")] = None,
    tell: Annotated[
        bool, typer.Option("--tell", help="Tell what becomes of messages, as vendors do, to what `serve` answers.")
    ] = False,
    pace: Annotated[
        float, typer.Option(min=0, max=1000, help="With --tell: seconds take so many times as long; 0.1 is quick.")
    ] = 1,
    config: Config = CONFIG,
) -> None:
    """A provider on this machine: speaks for every vendor, keeps every message, delivers nothing, and tells back."""
    from automation.cli.opening import settings_of
    from automation.cli.output import errors
    from automation.delivery.sandbox import serve
    from automation.delivery.sandbox.telling.ears import ears_of

    ears = ears_of(settings_of(config), port) if tell else None
    errors.print(f"the sandbox takes messages and shows them on http://127.0.0.1:{port}; Ctrl-C ends it")
    if ears == {}:
        errors.print(f"nobody is told: no provider in {config} has this address as its base_url")
    for kind, ear in (ears or {}).items():
        errors.print(f"it tells {ear.url} what becomes of messages by {kind}")
    serve("127.0.0.1", port, keep, ears, pace)
