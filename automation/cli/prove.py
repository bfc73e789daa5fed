"""The command for whoever wants to see the delivery promise kept on their own machine."""

from typing import TYPE_CHECKING, Annotated

import typer

from automation.cli.options import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from automation.selftest import Finding

FAILED = 1


def add_to(app: typer.Typer) -> None:
    app.command()(selftest)


def selftest(
    kills: Annotated[int, typer.Option(min=1, max=1_000_000, help="How often a worker is killed, for each kind.")] = 50,
    database: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A PostgreSQL server on which to make a database for this; default SQLite."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Draws instants and places of the kills.")] = 1,
    as_json: Json = False,
) -> None:
    """Kill workers again and again while they send, then count every message: none lost, none doubled.

    Twice: with a provider that takes idempotency keys, and with providers that take none. Everything happens in a
    temporary folder, with a made-up shop and the sandbox; exit code 1 when a promise was broken.
    """
    from automation.cli.output import progress, show_json
    from automation.selftest import KEYED, KEYLESS
    from automation.selftest import selftest as prove
    from automation.selftest.shop import forget_environment

    forget_environment()
    found: dict[str, Finding] = {}
    for kind in (KEYED, KEYLESS):
        with progress(f"killing workers, {kind.name}") as told:
            found[kind.name] = prove(kind, kills, seed, server=database, progress=told)
    if as_json:
        show_json({name: one.as_dict() for name, one in found.items()})
    else:
        _show(found)
    if not all(one.ok for one in found.values()):
        raise typer.Exit(FAILED)


def _show(found: "Mapping[str, Finding]") -> None:
    from automation.cli.output import console, show_table

    rows = [(name, *one.as_dict().values()) for name, one in found.items()]
    first = next(iter(found.values()))
    show_table(["provider", *first.as_dict()], rows)
    good = all(one.ok for one in found.values())
    console.print("the promise was kept" if good else "THE PROMISE WAS BROKEN; run it again with the same --seed")
