"""One click (RFC 8058): a POST unsubscribes without a login or a redirect; a GET shows a button and changes nothing.

A link that nobody signed is answered in the same way: whoever guesses learns nothing.
"""

import logging
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote

from markupsafe import Markup
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from automation.database.schema import SHARDS, messages
from automation.delivery.outcomes.unsubscribe import unsubscribe
from automation.web.page import TELLS, Page
from automation.web.words import Words, words_in

log = logging.getLogger(__name__)
ASKS = Markup("""<p>{question}</p>
<form method="post">
<input type="hidden" name="List-Unsubscribe" value="One-Click">
<button>{button}</button>
</form>""")
CHOOSE = Markup('\n<p class="aside"><a href="../p/{token}">{choose}</a></p>')


class Asked(NamedTuple):
    """What is known of a link: its message, if somebody signed it, and how to speak to whoever has it."""

    message_id: int | None = None
    channel: str = "email"
    locale: str | None = None


@dataclass
class Unsubscribe(Page):
    """`/u/<token>`"""

    async def show(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            asked = await run_in_threadpool(self._asked, token)
        except Exception:
            log.exception("an unsubscribe link could not be looked up; whoever has it is told to try again")
            return self._later()
        language, words = self._words(asked)
        question = (words.sms if asked.channel == "sms" else words.email).format(name=self.settings.business.name)
        asks = ASKS.format(question=question, button=words.button)
        return self.framed(language, words.title, asks + _choose(token, words))

    async def do(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            asked = await run_in_threadpool(self._done, token)
        except Exception:
            log.exception("an unsubscribe could not be written down; whoever asked is told to try again")
            return self._later()
        language, words = self._words(asked)
        tells = TELLS.format(kind="done", told=words.done)
        return self.framed(language, words.title, tells + _choose(token, words))

    def _later(self) -> Response:
        language, words = self._words(Asked())
        return self.framed(language, words.title, TELLS.format(kind="warning", told=words.later), 503)

    def _done(self, token: str) -> Asked:
        asked = self._asked(token)
        message_id = asked.message_id
        if message_id is not None:
            self.write(lambda connection: unsubscribe(connection, message_id, self.clock()))
        return asked

    def _asked(self, token: str) -> Asked:
        with self.database.reading() as connection:
            message_id = self.message_of(connection, token)
            if message_id is None:
                return Asked()
            mine = (messages.c.shard == message_id % SHARDS, messages.c.message_id == message_id)
            row = connection.execute(select(messages.c.channel, messages.c.context).where(*mine)).one_or_none()
        return Asked() if row is None else Asked(message_id, row.channel, (row.context or {}).get("locale"))

    def _words(self, asked: Asked) -> tuple[str, Words]:
        return words_in(asked.locale, self.settings.business.locale)


def _choose(token: str, words: Words) -> Markup:
    return CHOOSE.format(token=quote(token, safe=""), choose=words.choose)
