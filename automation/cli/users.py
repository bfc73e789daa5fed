"""Commands about accounts of the console."""

from typing import Annotated, Literal

import typer

from automation.cli.options import CONFIG, Config, Json

Name = Annotated[str, typer.Argument(metavar="NAME", help="a-z, 0-9 and ._@+-; they sign in with it.")]
Role = Literal["viewer", "support", "marketer", "admin"]
RoleOption = Annotated[
    Role, typer.Option("--role", metavar="ROLE", help="viewer, support, marketer or admin: what they may do.")
]
By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it; kept for good.")]
COMMAND_LINE = "command line"


def add_to(app: typer.Typer) -> None:
    user = typer.Typer(help="Accounts of the console: there is none until you add one.", no_args_is_help=True)
    user.command("add")(user_add)
    user.command("link")(user_link)
    user.command("role")(user_role)
    user.command("close")(user_close)
    user.command("list")(user_list)
    app.add_typer(user, name="user")


def user_add(
    name: Name, role: RoleOption = "support", by: By = COMMAND_LINE, config: Config = CONFIG, as_json: Json = False
) -> None:
    """Give somebody an account. Prints a link, good once, by which they choose their password."""
    from automation.cli.opening import database_of, settings_of
    from automation.clock import wall_clock
    from automation.web.accounts.users import add_user

    settings = settings_of(config)
    with database_of(settings) as database, database.writing() as connection:
        token = add_user(connection, name, role, by, wall_clock())
    _show_link(name, settings.business.public_url, token, as_json=as_json)


def user_link(name: Name, by: By = COMMAND_LINE, config: Config = CONFIG, as_json: Json = False) -> None:
    """A new link for somebody who has forgotten their password; it is good once."""
    from automation.cli.opening import database_of, settings_of
    from automation.clock import wall_clock
    from automation.web.accounts.users import new_link

    settings = settings_of(config)
    with database_of(settings) as database, database.writing() as connection:
        token = new_link(connection, name, by, wall_clock())
    _show_link(name, settings.business.public_url, token, as_json=as_json)


def user_role(
    name: Name,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help="viewer, support, marketer or admin.")],
    by: By = COMMAND_LINE,
    config: Config = CONFIG,
    as_json: Json = False,
) -> None:
    """Let somebody do more, or less; it counts from the next page on."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json
    from automation.clock import wall_clock
    from automation.web.accounts.users import set_role

    with database_of(settings_of(config)) as database, database.writing() as connection:
        set_role(connection, name, role, by, wall_clock())
    show_json({"name": name, "role": role}) if as_json else console.print(f"{name} is {role} now")


def user_close(name: Name, by: By = COMMAND_LINE, config: Config = CONFIG, as_json: Json = False) -> None:
    """Close an account: they are signed out; what they did stays on record."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json
    from automation.clock import wall_clock
    from automation.web.accounts.users import close_user

    with database_of(settings_of(config)) as database, database.writing() as connection:
        close_user(connection, name, by, wall_clock())
    show_json({"closed": name}) if as_json else console.print(f"the account of {name} is closed")


def user_list(config: Config = CONFIG, as_json: Json = False) -> None:
    """Who has an account, and with which role. JSON Lines with --json."""
    from automation.cli.opening import database_of, settings_of
    from automation.cli.output import console, show_json, show_table
    from automation.web.accounts.users import all_users

    with database_of(settings_of(config)) as database, database.reading() as connection:
        found = [dict(row._mapping) for row in all_users(connection)]  # noqa: SLF001 (SQLAlchemy's public name for it)
    if as_json:
        for row in found:
            show_json(row)
    elif found:
        show_table(list(found[0]), [tuple(row.values()) for row in found])
    else:
        console.print("nobody has an account yet: `automation user add NAME --role admin`")


def _show_link(name: str, public_url: str, token: str, *, as_json: bool) -> None:
    from automation.cli.output import console, show_json
    from automation.web.accounts.users import LINK_LASTS

    link = f"{public_url.rstrip('/')}/welcome/{token}"
    if as_json:
        show_json({"name": name, "link": link})
        return
    console.print(
        f"give {name} this link; it is good once and for {LINK_LASTS.days} days (`automation serve` answers):"
    )
    console.print(link)
