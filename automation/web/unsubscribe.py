"""One click (RFC 8058): a POST unsubscribes without a login or a redirect; a GET shows a button and changes nothing.

A link that nobody signed is answered in the same way: whoever guesses learns nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from markupsafe import Markup
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from automation.database.engine import Database
from automation.database.schema import SHARDS, installation, messages
from automation.delivery.outcomes.unsubscribe import unsubscribe
from automation.delivery.tokens import keys_of, read_token
from automation.settings import Settings
from automation.web.words import Words, words_in

log = logging.getLogger(__name__)
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "no-referrer",  # the address has the token in it
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex",
}
PAGE = Markup("""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="/pages.css">
</head>
<body>
<main>
<p class="from">{name}</p>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
""")
ASKS = Markup("""<p>{question}</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button>
</form>""")
TELLS = Markup('<p role="status">{told}</p>')


class Asked(NamedTuple):
    """What is known of a link: its message, if somebody signed it, and how to speak to whoever has it."""

    message_id: int | None = None
    channel: str = "email"
    locale: str | None = None


@dataclass
class Unsubscribe:
    """`/u/<token>`"""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]

    async def show(self, request: Request) -> Response:
        asked = await run_in_threadpool(self._asked, request.path_params["token"])
        language, words = self._words(asked)
        question = (words.sms if asked.channel == "sms" else words.email).format(name=self.settings.business.name)
        return self._page(language, words, ASKS.format(question=question, button=words.button))

    async def do(self, request: Request) -> Response:
        try:
            asked = await run_in_threadpool(self._done, request.path_params["token"])
        except Exception:
            log.exception("an unsubscribe could not be written down; whoever asked is told to try again")
            language, words = self._words(Asked())
            return self._page(language, words, TELLS.format(told=words.later), 503)
        language, words = self._words(asked)
        return self._page(language, words, TELLS.format(told=words.done))

    def _done(self, token: str) -> Asked:
        asked = self._asked(token)
        if asked.message_id is not None:
            with self.database.writing() as connection:
                unsubscribe(connection, asked.message_id, self.clock())
        return asked

    def _asked(self, token: str) -> Asked:
        with self.database.reading() as connection:
            identity = connection.execute(select(installation.c.key)).scalar_one()
            message_id = read_token(keys_of(self.settings, identity), token)
            if message_id is None:
                return Asked()
            mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
            row = connection.execute(select(messages.c.channel, messages.c.context).where(*mine)).one_or_none()
        return Asked() if row is None else Asked(message_id, row.channel, (row.context or {}).get("locale"))

    def _words(self, asked: Asked) -> tuple[str, Words]:
        return words_in(asked.locale, self.settings.business.locale)

    def _page(self, language: str, words: Words, body: Markup, status: int = 200) -> Response:
        name = self.settings.business.name
        page = PAGE.format(language=language, title=words.title, name=name, body=body)
        return HTMLResponse(page, status, HEADERS)
