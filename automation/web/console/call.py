"""One request by somebody who is signed in, and what a page may ask of it.

A handler says in its signature who may call it: `call: Anyone`, `Support`, `Marketer` or `Admin`. An admin may all.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from automation.web.accounts.sessions import person_of
from automation.web.accounts.unmasking import Sight, sight_of
from automation.web.accounts.users import Person
from automation.web.console.menu import menu_of
from automation.web.console.office import Office

# The prefix makes a browser take it only over TLS (or from this machine), from this host, for all paths.
COOKIE = "__Host-session"
OK, SEE_OTHER, UNFIT = 200, 303, 422


class SignedOut(Exception):
    """Nobody is signed in with this request."""


class NotAllowed(Exception):
    """Their role may not do that."""


@dataclass(frozen=True)
class Call:
    """`said`: the fields of the form that was sent, nothing when none was."""

    request: Request
    office: Office
    person: Person
    now: datetime
    said: Mapping[str, str]

    @property
    def actor(self) -> str:
        """As the audit log names them."""
        return self.person.name

    def may(self, *roles: str) -> bool:
        return self.person.role in {*roles, "admin"}

    def reading(self) -> AbstractContextManager[Connection]:
        return self.office.database.reading()

    def writing(self) -> AbstractContextManager[Connection]:
        return self.office.database.writing()

    def sight(self, connection: Connection) -> Sight:
        """Whose addresses they may read."""
        return sight_of(connection, self.person, self.now)

    def page(self, template: str, *, status: int = 0, problem: str | None = None, **values: Any) -> Response:
        """`problem` is what was wrong with a form, shown above the page; the answer says so too, and the page has
        `said`, so that nothing has to be typed again, and `door`, where the form was sent to.
        """
        told = f"told.{self.request.query_params.get('told', '')}"
        menu = menu_of(self.person.role, trying=self.office.settings.sandbox_url is not None)
        frame = {"call": self, "menu": menu, "path": self.request.url.path, "problem": problem}
        again = {
            "said": defaultdict(str, self.said if problem else {}),
            "door": self.request.url.path if problem else None,
        }
        shown = again | {"told": told if told in self.office.texts else None}
        return self.office.render(template, frame | shown | values, status or (UNFIT if problem else OK))

    def back(self, path: str, told: str) -> Response:
        """To a page of ours, which says `told.<told>` of the catalog."""
        joint = "&" if urlsplit(path).query else "?"
        return RedirectResponse(f"{path}{joint}{urlencode({'told': told})}", SEE_OTHER)


async def _said(request: Request) -> dict[str, str]:
    if request.method != "POST":
        return {}
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


def _caller(request: Request, said: Annotated[dict[str, str], Depends(_said)]) -> Call:
    office: Office = request.app.state.office
    now = office.clock()
    token = request.cookies.get(COOKIE)
    person = person_of(office.database, token, now) if token else None
    if person is None:
        raise SignedOut
    return Call(request, office, person, now, said)


def _only(*roles: str) -> Callable[[Call], Call]:
    def check(call: Annotated[Call, Depends(_caller)]) -> Call:
        if not call.may(*roles):
            raise NotAllowed(call.person.role)
        return call

    return check


Anyone = Annotated[Call, Depends(_caller)]
Support = Annotated[Call, Depends(_only("support"))]
Marketer = Annotated[Call, Depends(_only("marketer"))]
Admin = Annotated[Call, Depends(_only())]
