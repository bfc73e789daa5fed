"""Commands for whoever writes playbooks and templates."""

import json
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from automation.cli.options import CONFIG, Config, Json
from automation.errors import BadInput

WRONG_FILES = 2


def add_to(app: typer.Typer) -> None:
    for name, command in (("init", init), ("check", check), ("schema", schema), ("preview", show_preview)):
        app.command(name)(command)
    offers = typer.Typer(help="Codes that playbooks give away.", no_args_is_help=True)
    offers.command("load")(offers_load)
    offers.command("list")(offers_list)
    app.add_typer(offers, name="offers")


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put them; made if it is not there.")],
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Make a starter: config.toml, playbooks/ and templates/. Never overwrites a file."""
    from rich.text import Text

    from automation.cli.output import console, show_json
    from automation.cli.starter import copy_starter

    del config  # the new one is DIR/config.toml
    created = copy_starter(folder)
    if as_json:
        show_json({"created": created})
        return
    console.print(f"{len(created)} files in {folder}; begin with config.toml and playbooks/README.md")
    console.print(Text(f"cd {folder} && automation check"))


def check(config: Config = CONFIG, as_json: Json = False) -> None:
    """Read every file a marketer writes, and render every template for sample customers."""
    from automation.cli.check import check_everything
    from automation.cli.opening import settings_of
    from automation.cli.output import show_json
    from automation.cli.views.problems import show_problems

    if not config.is_file():
        settings_of(config)
    checked = check_everything(config)
    if as_json:
        show_json({"ok": checked.ok, "problems": [vars(problem) for problem in checked.problems]})
    else:
        show_problems(checked)
    if not checked.ok:
        raise typer.Exit(WRONG_FILES)


def schema(
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="Write one file for each instead.")] = None,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """JSON Schemas of config.toml, facts.toml, lifecycle, playbook and survey files, for editors."""
    from automation.cli.output import console, show_json
    from automation.cli.schemas import schemas

    del config  # the schemas are the program's, whatever the configuration
    found = schemas()
    if out is None:
        show_json(found)
        return
    files = [out / f"{name}.schema.json" for name in found]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for file, one in zip(files, found.values(), strict=True):
            file.write_text(json.dumps(one, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {(error.strerror or 'unknown').lower()}") from None
    names = [str(file) for file in files]
    show_json({"created": names}) if as_json else console.print("\n".join(names))


def show_preview(
    playbook: Annotated[str, typer.Argument(metavar="PLAYBOOK", help="Its key: the name of its file without .toml.")],
    step: Annotated[str, typer.Argument(metavar="STEP", help="The step's key.")],
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="ID", help="Default: a sample customer.")
    ] = None,
    locale: Annotated[str | None, typer.Option("--locale", metavar="L", help="Such as pl; default: theirs.")] = None,
    variant: Annotated[str | None, typer.Option("--variant", metavar="KEY", help="One of the step's variants.")] = None,
    opened: Annotated[bool, typer.Option("--open", help="Show the email in the browser.")] = False,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Render a step's message for a customer. Nothing is stored and nothing is sent."""
    from rich.text import Text

    from automation.cli.opening import settings_of
    from automation.cli.output import errors, show_json
    from automation.cli.preview import looking_at
    from automation.cli.views.preview import page_of, show_content
    from automation.clock import wall_clock
    from automation.delivery.answers.preview import Wanted, preview
    from automation.playbooks.load import read_draft

    settings = settings_of(config)
    wanted = Wanted(playbook, step, variant, locale, wall_clock())
    with looking_at(settings, customer) as connection:
        seen = preview(settings, read_draft(settings), wanted, connection, customer)
    page = page_of(seen) if opened else None
    show_json(seen.as_dict()) if as_json else show_content(seen)
    if page is not None:
        errors.print(Text(str(page)))
        webbrowser.open(page.as_uri())


def offers_load(
    pool: Annotated[str, typer.Argument(metavar="POOL", help="As a playbook's [offer] names it.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="One code on each line.")],
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Add codes to a pool. Loading a file a second time adds nothing."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import show_json, show_pairs
    from automation.clock import wall_clock
    from automation.delivery.offers import load_codes, read_codes

    settings = settings_of(config)
    codes = read_codes(file)
    with database_of(settings) as database, database.writing() as connection:
        created, duplicates = load_codes(connection, pool, codes, wall_clock())
    told = {"pool": pool, "read": len(codes), "created": created, "duplicates": duplicates}
    show_json(told) if as_json else show_pairs(told)


def offers_list(config: Config = CONFIG, as_json: Json = False) -> None:
    """Pools of codes: how many there are, and how many are left to give away."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json, show_table
    from automation.delivery.offers import pool_sizes

    with database_of(settings_of(config)) as database, database.reading() as connection:
        pools = [{"pool": pool, **size} for pool, size in pool_sizes(connection).items()]
    if as_json:
        show_json({"pools": pools})
    elif not pools:
        console.print("no codes are loaded; automation offers load POOL FILE")
    else:
        show_table(["pool", "codes", "free"], [list(one.values()) for one in pools])
