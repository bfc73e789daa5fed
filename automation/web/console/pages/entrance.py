"""Signing in and out, and choosing a password."""

import logging
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from automation.errors import BadInput
from automation.web.accounts.sessions import LASTS, TooManyTries, open_session, sign_in, sign_out
from automation.web.accounts.users import SHORTEST, choose_password, hashed, invited
from automation.web.console.call import COOKIE, SEE_OTHER, Anyone
from automation.web.console.office import Office

log = logging.getLogger(__name__)
router = APIRouter()
Field = Annotated[str, Form()]
WRONG, GONE, TOO_MANY, UNFIT = 401, 404, 429, 422


@router.get("/sign-in")
def show_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 (the usual name in an address)
    return _sign_in_page(request, next)


@router.post("/sign-in")
def do_sign_in(request: Request, name: Field = "", password: Field = "", next: Field = "/") -> Response:  # noqa: A002 (likewise)
    office = _office(request)
    peer = request.client.host if request.client else ""
    try:
        token = sign_in(office.database, name, password, peer, office.clock())
    except TooManyTries:
        log.warning("somebody tries passwords; for a quarter of an hour they cannot")
        return _sign_in_page(request, next, name, "sign_in.too_many", TOO_MANY)
    if token is None:
        return _sign_in_page(request, next, name, "sign_in.wrong", WRONG)
    return signed_in(token, _our_own(next))


@router.post("/sign-out")
def do_sign_out(call: Anyone) -> Response:
    with call.writing() as connection:
        sign_out(connection, call.request.cookies[COOKIE])
    response = RedirectResponse("/sign-in", SEE_OTHER)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    return response


@router.get("/welcome/{token}")
def show_welcome(request: Request, token: str) -> Response:
    office = _office(request)
    with office.database.reading() as connection:
        name = invited(connection, token, office.clock())
    return _welcome_page(office, name, None)


@router.post("/welcome/{token}")
def do_welcome(request: Request, token: str, password: Field = "", again: Field = "") -> Response:
    office = _office(request)
    with office.database.reading() as connection:
        name = invited(connection, token, office.clock())
    if name is None:
        return _welcome_page(office, None, None)
    if password != again:
        return _welcome_page(office, name, office.texts("welcome.differ"), UNFIT)
    try:
        password_hash = hashed(password)
    except BadInput as error:
        return _welcome_page(office, name, str(error), UNFIT)
    with office.database.writing() as connection:
        chosen = choose_password(connection, token, password_hash, office.clock())
        session = open_session(connection, chosen, office.clock()) if chosen else None
    return signed_in(session, "/") if session else _welcome_page(office, None, None)


def _sign_in_page(
    request: Request, after: str, name: str = "", problem: str | None = None, status: int = 200
) -> Response:
    office = _office(request)
    values = {"after": _our_own(after), "name": name[:64]}
    return office.render("sign_in.html", _outside(office, problem) | values, status)


def _welcome_page(office: Office, name: str | None, problem: str | None, status: int = 200) -> Response:
    values = _outside(office, None) | {"problem": problem, "name": name, "shortest": SHORTEST}
    return office.render("welcome.html", values, status if name else GONE)


def _outside(office: Office, problem: str | None) -> dict[str, object]:
    """The frame of a page before anybody is signed in."""
    said = office.texts(problem) if problem else None
    return {"call": None, "menu": [], "path": "", "told": None, "problem": said}


def signed_in(token: str, to: str) -> Response:
    response = RedirectResponse(to, SEE_OTHER)
    lasts = int(LASTS.total_seconds())
    response.set_cookie(COOKIE, token, max_age=lasts, path="/", secure=True, httponly=True, samesite="strict")
    return response


def _our_own(path: str) -> str:
    """Where to go afterwards: a page of ours, never another host."""
    parts = urlsplit(path.replace("\\", "/"))
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and path.isprintable()
    return path if is_ours else "/"


def _office(request: Request) -> Office:
    office: Office = request.app.state.office
    return office
