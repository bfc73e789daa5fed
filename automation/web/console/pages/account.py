"""One's own account: another password."""

from typing import Annotated

from fastapi import APIRouter, Form
from sqlalchemy import select
from starlette.responses import Response

from automation.database.accounts import users
from automation.database.audit import note
from automation.errors import BadInput
from automation.web.accounts.sessions import open_session
from automation.web.accounts.users import SHORTEST, change_password, fits, hashed
from automation.web.console.call import Anyone, Call
from automation.web.console.pages.entrance import signed_in

router = APIRouter()
Field = Annotated[str, Form()]


@router.get("/account")
def show_account(call: Anyone) -> Response:
    return call.page("account.html", shortest=SHORTEST)


@router.post("/account")
def do_change(call: Anyone, current: Field = "", password: Field = "", again: Field = "") -> Response:
    """They are signed out everywhere else."""
    try:
        chosen = _chosen(call, current, password, again)
    except BadInput as error:
        return call.page("account.html", problem=str(error), shortest=SHORTEST)
    with call.writing() as connection:
        change_password(connection, call.person.name, chosen)
        note(connection, call.actor, "user_password", f"user:{call.person.name}", "", call.now)
        token = open_session(connection, call.person.name, call.now)
    return signed_in(token, "/account?told=account.changed")


def _chosen(call: Call, current: str, password: str, again: str) -> str:
    with call.reading() as connection:
        mine = select(users.c.password_hash).where(users.c.name == call.person.name)
        known = connection.execute(mine).scalar_one()
    if not fits(current, known):
        raise BadInput(call.office.texts("account.wrong"))
    if password != again:
        raise BadInput(call.office.texts("welcome.differ"))
    return hashed(password)
