"""All playbooks: how each stands, and what it did lately."""

from dataclasses import dataclass

from fastapi import APIRouter
from starlette.responses import Response

from automation.clock import local_date
from automation.delivery.answers.playbook_history import ever_used
from automation.delivery.answers.playbook_state import State, Word, pauses_of_playbooks, state_of
from automation.playbooks.model import PlaybookModel
from automation.reports.kept import newest
from automation.reports.passed import Passed, passed
from automation.web.console.alarms import of_pauses
from automation.web.console.call import Anyone

router = APIRouter()
# What somebody has to look at comes first.
ORDER: tuple[Word, ...] = ("held", "broken", "paused", "active", "not_started", "idle", "off", "ended", "gone")


@dataclass(frozen=True)
class Row:
    """`model` is None of a file with mistakes, and of one that is gone."""

    key: str
    model: PlaybookModel | None
    state: State
    passed: Passed

    @property
    def name(self) -> str:
        return self.model.name if self.model else self.key

    @property
    def channels(self) -> list[str]:
        return sorted({step.channel for step in self.model.steps}) if self.model else []

    @property
    def place(self) -> tuple[int, str]:
        return ORDER.index(self.state.word), self.name.casefold()


@router.get("/playbooks")
def show_playbooks(call: Anyone) -> Response:
    draft, today = call.office.draft(), local_date(call.now, call.office.settings.business.zone)
    with call.reading() as connection:
        pauses, kept = pauses_of_playbooks(connection, call.now), newest(connection, "playbooks")
        keys, stopped = {*draft.paths, *ever_used(connection)}, list(of_pauses(connection, call.now))
    rows = []
    for key in keys:
        playbook, state = draft.playbooks.get(key), state_of(draft, key, today, pauses.get(key))
        rows.append(Row(key, playbook.model if playbook else None, state, passed(kept, key)))
    rows.sort(key=lambda row: row.place)
    return call.page("playbooks.html", rows=rows, kept=kept, problems=sorted(draft.problems), alarms=stopped)
