"""The console as an application of its own: its pages, and what is said when something is not in order."""

import logging
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from automation.errors import BadInput, DatabaseBusy, UnknownCustomer, UnknownMessage, UnknownPlaybook
from automation.web.console.call import SEE_OTHER, NotAllowed, SignedOut
from automation.web.console.office import Office
from automation.web.console.pages import ROUTERS
from automation.web.guard import READS, Guard
from automation.web.request_log import RequestLog

log = logging.getLogger(__name__)
STATIC = Path(__file__).parents[1] / "static"
UNKNOWN = (UnknownCustomer, UnknownMessage, UnknownPlaybook)
FORBIDDEN, MISSING, WRONG, BUSY, FAILED = 403, 404, 400, 503, 500
Answer = Callable[[Request, Exception], Response]


def create_console(office: Office) -> ASGIApp:
    routes = [route for router in ROUTERS for route in router.routes]
    app = FastAPI(routes=routes, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.state.office = office
    app.mount("/static", StaticFiles(directory=STATIC))
    for error, answer in _answers(office).items():
        app.add_exception_handler(error, answer)
    return Guard(RequestLog(app), office.settings.business.public_url)


def _answers(office: Office) -> dict[type[Exception], Answer]:
    def told(status: int, kind: str) -> Answer:
        return lambda _, __: _problem(office, status, kind, office.texts(f"problem.{kind}"))

    def told_itself(status: int, kind: str) -> Answer:
        return lambda _, error: _problem(office, status, kind, str(error))

    return {
        SignedOut: _to_sign_in,
        NotAllowed: told(FORBIDDEN, "not_allowed"),
        **dict.fromkeys(UNKNOWN, told_itself(MISSING, "missing")),
        BadInput: told_itself(WRONG, "wrong"),
        RequestValidationError: told(WRONG, "wrong"),
        HTTPException: lambda _, error: _of_http(office, error),
        DatabaseBusy: told(BUSY, "busy"),
        Exception: told(FAILED, "failed"),
    }


def _of_http(office: Office, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else FAILED
    kind = {MISSING: "missing", FORBIDDEN: "not_allowed"}.get(status, "wrong")
    return _problem(office, status, kind, office.texts(f"problem.{kind}"))


def _problem(office: Office, status: int, kind: str, sentence: str) -> Response:
    """It has no menu: who may see what is not known here."""
    frame: dict[str, object] = {"call": None, "menu": [], "path": "", "told": None, "problem": None}
    return office.render("problem.html", {**frame, "kind": kind, "sentence": sentence}, status)


def _to_sign_in(request: Request, _: Exception) -> Response:
    """And back to what they wanted to read, afterwards."""
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    query = "?" + urlencode({"next": asked}) if request.method in READS and asked != "/" else ""
    return RedirectResponse(f"/sign-in{query}", SEE_OTHER)
