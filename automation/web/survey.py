"""The page of a survey: a GET shows the question and changes nothing, for programs follow links as well; a POST writes
the answer down and leads back to thanks, where it can be changed.

The link is the authority. One that nobody signed, and a survey that is not there, show a page that tells nothing.
"""

import logging
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from markupsafe import Markup
from sqlalchemy import Connection, Row
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from automation.delivery.outcomes.surveys import Answer, Given, answer, find_respondent, given_by
from automation.playbooks.survey_files import SurveyFiles
from automation.playbooks.surveys import Survey
from automation.web.page import HEADERS, TELLS, Page, body_of
from automation.web.survey_form import CHOICE, LONGEST_COMMENT, Filled, form_of, labels_of, read_form
from automation.web.survey_words import SURVEY_WORDS, SurveyWords
from automation.web.words import words_in

log = logging.getLogger(__name__)
LARGEST = 64_000  # bytes of a form
STANDS = Markup("<p>{}</p>")


class Asked(NamedTuple):
    """Somebody of ours before a survey of ours."""

    respondent: Row[Any]
    survey: Survey
    given: Given


@dataclass
class SurveyPage(Page):
    """`/s/<token>/<survey>`"""

    root = "../.."
    purpose = "survey"
    files: SurveyFiles = field(init=False)

    def __post_init__(self) -> None:
        self.files = SurveyFiles(self.settings)

    async def show(self, request: Request) -> Response:
        try:
            asked = await run_in_threadpool(self._asked, request)
        except Exception:
            log.exception("a survey could not be looked up; whoever asked is told to try again")
            return self._later()
        if asked is None:
            return self._unknown()
        if "thanks" in request.query_params and asked.given.answer:
            return self._thanks(asked)
        return self._final(asked) if asked.given.is_final else self._ask(asked, request.query_params.get(CHOICE))

    async def do(self, request: Request) -> Response:
        body = await body_of(request, LARGEST)
        filled = None if body is None else read_form(body)
        try:
            asked = await run_in_threadpool(self._asked, request)
            if asked is None:
                return self._unknown()
            if filled is None:
                return self._complain(asked, Filled(), "too_long", 413)
            if filled.value not in asked.survey.answers:
                return self._complain(asked, filled, "choose", 422)
            if len(filled.comment) > LONGEST_COMMENT:
                return self._complain(asked, filled, "too_long", 422)
            await run_in_threadpool(self._save, asked, filled)
        except Exception:
            log.exception("an answer could not be written down; whoever gave it is told to try again")
            return self._later()
        return RedirectResponse("?thanks=1", 303, HEADERS)

    def _asked(self, request: Request) -> Asked | None:
        survey = self.files.surveys().get(request.path_params["survey"])
        with self.database.reading() as connection:
            respondent = self._respondent(connection, request.path_params["token"])
            if respondent is None or survey is None:
                return None
            return Asked(respondent, survey, given_by(connection, respondent, survey))

    def _respondent(self, connection: Connection, token: str) -> Row[Any] | None:
        message_id = self.message_of(connection, token)
        return None if message_id is None else find_respondent(connection, message_id)

    def _save(self, asked: Asked, filled: Filled) -> None:
        comment = filled.comment if asked.survey.model.comment else ""
        said = Answer(asked.survey.answers[filled.value], comment)
        self.write(lambda connection: answer(connection, asked.respondent, asked.survey, said, self.clock()))

    def _ask(self, asked: Asked, chosen: str | None) -> Response:
        filled = _filled(asked)
        if chosen is not None and chosen in asked.survey.answers:
            filled = Filled(chosen, filled.comment)
        return self._form(asked, filled)

    def _complain(self, asked: Asked, filled: Filled, word: str, status: int) -> Response:
        """What was filled in is still there."""
        _, words = self._words(asked)
        told = getattr(words, word).format(most=LONGEST_COMMENT)
        return self._form(asked, filled, TELLS.format(kind="warning", told=told), tab=told, status=status)

    def _thanks(self, asked: Asked) -> Response:
        language, _ = self._words(asked)
        thanks = asked.survey.model.thanks[language]
        told = TELLS.format(kind="done", told=thanks)
        if asked.given.is_final:
            return self._final(asked, told)
        return self._form(asked, _filled(asked), told, tab=thanks)

    def _final(self, asked: Asked, told: Markup | str = "") -> Response:
        """It was changed as often as anybody's mind."""
        language, words = self._words(asked)
        value = _filled(asked).value
        shown = labels_of(asked.survey, language).get(value, value)
        body = told + STANDS.format(words.stands.format(answer=shown))
        return self.framed(language, asked.survey.model.question[language], body)

    def _form(
        self, asked: Asked, filled: Filled, told: Markup | str = "", *, tab: str | None = None, status: int = 200
    ) -> Response:
        language, words = self._words(asked)
        button = words.change if asked.given.answer else words.send
        form = form_of(asked.survey, language, words, filled, button)
        return self.framed(language, asked.survey.model.question[language], told + form, status, tab=tab)

    def _words(self, asked: Asked) -> tuple[str, SurveyWords]:
        """In the language of the question: a page speaks one."""
        home = self.settings.business.locale
        language = asked.survey.language(asked.respondent.locale, home)
        return language, SURVEY_WORDS[words_in(language, home)[0]]

    def _unknown(self) -> Response:
        return self._tells("unknown", "note")

    def _later(self) -> Response:
        return self._tells("later", "warning", 503)

    def _tells(self, word: str, kind: str, status: int = 200) -> Response:
        """To somebody of whom we know nothing."""
        language, words = words_in(self.settings.business.locale)
        told = TELLS.format(kind=kind, told=getattr(words, word))
        return self.framed(language, SURVEY_WORDS[language].title, told, status)


def _filled(asked: Asked) -> Filled:
    """The answer that stands."""
    stands = asked.given.answer
    return Filled() if stands is None else Filled(str(stands.value), stands.comment)
