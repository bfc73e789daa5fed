"""One playbook: its path with what became of whoever went it, its proof, its files; and who may stop it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.responses import Response

from automation.clock import local_date
from automation.delivery.answers.playbook_history import Version, version_text, versions_of
from automation.delivery.answers.playbook_state import pauses_of_playbooks, state_of
from automation.delivery.health import by_hand
from automation.errors import BadInput, UnknownPlaybook, suggest
from automation.lifecycle.conditions.words import clauses
from automation.reasons import BY_KEY
from automation.reports.compared import words
from automation.reports.kept import newest
from automation.reports.passed import passed
from automation.values import duration_text
from automation.web.console.alarms import of_pauses
from automation.web.console.call import Anyone, Call, Marketer
from automation.web.console.formats import playbook_url
from automation.web.console.forms import reason_in
from automation.web.console.sheets import sheets_of, sheets_of_version

router = APIRouter()
LASTS = {"": None, "day": timedelta(days=1), "week": timedelta(weeks=1)}
Field = Annotated[str, Form()]


@router.get("/playbooks/{key}")
def show_playbook(call: Anyone, key: str, version: str = "") -> Response:
    return _page(call, key, version)


@router.post("/playbooks/{key}/pause")
def do_pause(call: Marketer, key: str, reason: Field = "", lasts: Field = "") -> Response:
    _require(call, key)
    try:
        until = _until(call, lasts)
        words = reason_in(call, reason)
    except BadInput as error:
        return _page(call, key, problem=str(error))
    with call.writing() as connection:
        by_hand.pause(connection, f"playbook:{key}", call.actor, words, until, call.now)
    return call.back(playbook_url(key), "playbook.paused")


@router.post("/playbooks/{key}/resume")
def do_resume(call: Marketer, key: str, reason: Field = "") -> Response:
    """One that is gone may still be paused: it would be, if its file came back."""
    with call.reading() as connection:
        is_paused = key in pauses_of_playbooks(connection, call.now)
    if not is_paused:
        _require(call, key)
        return _page(call, key, problem=call.office.texts("playbook.not_paused"))
    try:
        words = reason_in(call, reason)
    except BadInput as error:
        return _page(call, key, problem=str(error))
    with call.writing() as connection:
        by_hand.resume(connection, f"playbook:{key}", call.actor, words, call.now)
    return call.back(playbook_url(key), "playbook.resumed")


def _until(call: Call, lasts: str) -> datetime | None:
    """Raises BadInput."""
    if lasts not in LASTS:
        raise BadInput(call.office.texts("playbook.lasts_wrong"))
    wait = LASTS[lasts]
    return None if wait is None else call.now + wait


def _require(call: Call, key: str) -> None:
    """Raises UnknownPlaybook when there is no such file."""
    known = call.office.draft().paths
    if key not in known:
        raise UnknownPlaybook(f'there is no playbook "{key}"; {suggest(key, known)}')


def _page(call: Call, key: str, version: str = "", problem: str | None = None) -> Response:
    office, draft = call.office, call.office.draft()
    with call.reading() as connection:
        pause, kept = pauses_of_playbooks(connection, call.now).get(key), newest(connection, "playbooks")
        versions = versions_of(connection, key) if key.isprintable() else []
        if not versions:
            _require(call, key)
        chosen = version if version or key in draft.paths else versions[0].version_id
        text, stopped = _text(connection, key, versions, chosen), list(of_pauses(connection, call.now))
    playbook, found = draft.playbooks.get(key), passed(kept, key)
    sheets, problems = sheets_of_version(text) if text else sheets_of(office.settings, draft, key)
    return call.page(
        "playbook.html",
        problem=problem,
        key=key,
        playbook=playbook,
        stages={stage.key: stage.name for stage in draft.lifecycle.stages} if draft.lifecycle else {},
        state=state_of(draft, key, local_date(call.now, office.settings.business.zone), pause),
        passed=found,
        sentences=[(one, words(key, *one)[1]) for one in found.compared],
        kept=kept,
        versions=versions,
        chosen=chosen,
        sheets=sheets,
        problems=problems,
        alarms=stopped,
        clauses=clauses,
        duration=duration_text,
        reasons=BY_KEY,
        everyone=office.settings.holdout.everyone,
    )


def _text(connection: Connection, key: str, versions: list[Version], chosen: str) -> Mapping[str, Any] | None:
    """None: as the files are now. Raises UnknownPlaybook."""
    if not chosen:
        return None
    if chosen not in {one.version_id for one in versions}:
        raise UnknownPlaybook(f'{key} never had a version "{chosen}"; its page lists those it had')
    return version_text(connection, key, chosen)
