"""Accounts: who has one, with which role; a new one is a link that its owner opens."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form
from starlette.responses import Response

from automation.database.accounts import ROLES
from automation.errors import BadInput
from automation.web.accounts.users import LINK_LASTS, add_user, all_users, close_user, new_link, set_role
from automation.web.console.call import Admin, Call

router = APIRouter()
Field = Annotated[str, Form()]


@router.get("/users")
def show_users(call: Admin) -> Response:
    return _page(call)


@router.post("/users")
def do_add(call: Admin, name: Field = "", role: Field = "viewer") -> Response:
    """The link is shown once, on the answer itself: it is in no address and nowhere on record."""
    try:
        with call.writing() as connection:
            token = add_user(connection, name, role, call.actor, call.now)
    except BadInput as error:
        return _page(call, problem=str(error))
    return _page(call, link=_link(call, token), invited=name.strip().lower())


@router.post("/users/link")
def do_link(call: Admin, name: Field = "") -> Response:
    try:
        with call.writing() as connection:
            token = new_link(connection, name, call.actor, call.now)
    except BadInput as error:
        return _page(call, problem=str(error))
    return _page(call, link=_link(call, token), invited=name)


@router.post("/users/role")
def do_role(call: Admin, name: Field = "", role: Field = "") -> Response:
    try:
        with call.writing() as connection:
            set_role(connection, name, role, call.actor, call.now)
    except BadInput as error:
        return _page(call, problem=str(error))
    return call.back("/users", "users.role")


@router.post("/users/close")
def do_close(call: Admin, name: Field = "") -> Response:
    try:
        with call.writing() as connection:
            close_user(connection, name, call.actor, call.now)
    except BadInput as error:
        return _page(call, problem=str(error))
    return call.back("/users", "users.closed")


def _page(
    call: Call,
    *,
    problem: str | None = None,
    link: str | None = None,
    invited: str = "",
) -> Response:
    with call.reading() as connection:
        users = all_users(connection)
    return call.page(
        "users.html",
        problem=problem,
        users=users,
        roles=ROLES,
        link=link,
        invited=invited,
        days=LINK_LASTS.days,
    )


def _link(call: Call, token: str) -> str:
    """Under the address at which this page is; a proxy before it ends TLS."""
    here, public = str(call.request.base_url), call.office.settings.business.public_url
    base = public if urlsplit(here).netloc == urlsplit(public).netloc else here
    return f"{base.rstrip('/')}/welcome/{token}"
