"""The page behind "Email preferences": a GET shows what the customer gets and changes nothing, a POST saves what they
ticked and leads back to it.

The link is the authority, wherever the form was sent from. One that nobody signed shows a page that tells nothing.
"""

import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from automation.clock import local_date
from automation.customers.preferences import Box, Form, TooOften
from automation.delivery.outcomes.preferences import Preferences, boxes_of, choose, find_recipient, preferences_of
from automation.playbooks.topics import PlaybookFiles, topics_by_channel
from automation.web.form import NAMES, form_of, wording
from automation.web.page import HEADERS, TELLS, Page, body_of
from automation.web.words import Words, words_in

log = logging.getLogger(__name__)
LARGEST, MOST_FIELDS = 64_000, 1_000  # bytes and fields of a form
GOOD = 200


@dataclass
class PreferencePage(Page):
    """`/p/<token>`"""

    files: PlaybookFiles = field(init=False)

    def __post_init__(self) -> None:
        self.files = PlaybookFiles(self.settings)

    async def show(self, request: Request) -> Response:
        try:
            found = await run_in_threadpool(self._found, request.path_params["token"])
        except Exception:
            log.exception("preferences could not be looked up; whoever asked is told to try again")
            return self._tells("later", 503)
        return self._form(found, "saved" in request.query_params) if found else self._tells("unknown")

    async def do(self, request: Request) -> Response:
        body = await body_of(request, LARGEST)
        form = None if body is None else read_form(body)
        if form is None:
            return self._tells("later", 413)
        try:
            is_known = await run_in_threadpool(self._save, request.path_params["token"], form)
        except TooOften:
            return self._tells("later", 429)
        except Exception:
            log.exception("preferences could not be written down; whoever asked is told to try again")
            return self._tells("later", 503)
        if not is_known:
            return self._tells("unknown")
        return RedirectResponse("?saved=1", 303, HEADERS)

    def _found(self, token: str) -> Preferences | None:
        with self.database.reading() as connection:
            recipient = self._recipient(connection, token)
            if recipient is None:
                return None
            return preferences_of(connection, recipient, self._boxes(recipient), self.clock())

    def _save(self, token: str, form: Form) -> bool:
        """Whether the link is one of ours."""
        with self.database.reading() as connection:
            recipient = self._recipient(connection, token)
        if recipient is None:
            return False
        language, words = self._words(recipient)
        names = {box: wording(box, language, words, self.settings.topics) for box in self._boxes(recipient)}
        known = {playbook.model.topic for playbook in self.files.playbooks().values()}
        self.write(lambda connection: choose(connection, recipient, form, names, known, self.clock()))
        return True

    def _recipient(self, connection: Connection, token: str) -> Row[Any] | None:
        message_id = self.message_of(connection, token)
        return None if message_id is None else find_recipient(connection, message_id)

    def _boxes(self, recipient: Row[Any]) -> tuple[Box, ...]:
        today = local_date(self.clock(), self.settings.business.zone)
        return boxes_of(recipient, topics_by_channel(self.files.playbooks().values(), today))

    def _words(self, recipient: Row[Any] | None) -> tuple[str, Words]:
        return words_in(recipient.locale if recipient else None, self.settings.business.locale)

    def _form(self, found: Preferences, is_saved: bool) -> Response:
        language, words = self._words(found.recipient)
        body = form_of(found, language, words, self.settings)
        if not is_saved:
            return self.framed(language, words.preferences, body)
        told = TELLS.format(kind="done", told=words.saved)
        return self.framed(language, words.preferences, told + body, tab=words.saved)

    def _tells(self, word: str, status: int = 200) -> Response:
        """To somebody of whom we know nothing."""
        language, words = self._words(None)
        kind = "note" if status == GOOD else "warning"
        told = TELLS.format(kind=kind, told=getattr(words, word))
        return self.framed(language, words.preferences, told, status)


def read_form(body: bytes) -> Form | None:
    """None for what is no form. Each box comes as `channel:topic`, in `was` and, when it is ticked, in `now`."""
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    return Form(*(frozenset(Box(*value.partition(":")[::2]) for name, value in fields if name == one) for one in NAMES))
