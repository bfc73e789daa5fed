"""What every page that customers see has in common: its frame, its headers, and whose link it is.

Addresses in it are relative: a proxy may have put the application under a folder of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from markupsafe import Markup
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError, OperationalError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from automation.database.engine import Database
from automation.database.schema import installation
from automation.delivery.tokens import Purpose, keys_of, read_token
from automation.settings import Settings

TRIES = 3
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address has the token in it
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
FRAME = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{tab} · {name}</title>
<link rel="stylesheet" href="{root}/pages.css">
</head>
<body>
<header>{name}</header>
<main>
<h1>{title}</h1>
{body}
</main>
<footer>{name}<br>{postal_address}</footer>
</body>
</html>
""")
TELLS = Markup('<p role="status" class="{kind}">{told}</p>')


@dataclass
class Page:
    """A page that a signed link opens. `root`: where the application begins, seen from the page; `purpose`: what the
    link was signed for.
    """

    root: ClassVar[str] = ".."
    purpose: ClassVar[Purpose] = "unsubscribe"

    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    def message_of(self, connection: Connection, token: str) -> int | None:
        """The message that the link is in, if somebody of ours signed it."""
        identity = connection.execute(select(installation.c.key)).scalar_one()
        return read_token(keys_of(self.settings, identity), token, self.purpose)

    def write(self, work: Callable[[Connection], None]) -> None:
        """Again, should another writer have come between: PostgreSQL then lets one of the two fail."""
        for left in reversed(range(TRIES)):
            try:
                with self.database.writing() as connection:
                    work(connection)
            except (IntegrityError, OperationalError):
                if not left:
                    raise
            else:
                return

    def framed(self, language: str, title: str, body: Markup, status: int = 200, *, tab: str | None = None) -> Response:
        """`tab`: what a screen reader says first, when it is not the title."""
        business = self.settings.business
        page = FRAME.format(
            language=language,
            root=self.root,
            tab=tab or title,
            title=title,
            name=business.name,
            postal_address=business.postal_address,
            body=body,
        )
        return HTMLResponse(page, status, HEADERS)


async def body_of(request: Request, most: int) -> bytes | None:
    """None when it has more than that many bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)
