"""How the machinery is: providers, workers, runs, nights, incidents; and the brake."""

from typing import Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import Response

from automation.database.size import size_of
from automation.database.upgrade import newest
from automation.delivery.alerts.incidents import incidents_now
from automation.delivery.health.by_hand import EVERYTHING, pause, resume
from automation.delivery.health.pauses import scope_of
from automation.delivery.health.rates import rates_in_force
from automation.delivery.overview.providers import other_pauses, providers_now
from automation.delivery.overview.waiting import calls_waiting, open_messages
from automation.delivery.overview.work import latest_checks, latest_downtimes, latest_runs, worker_lives
from automation.errors import BadInput
from automation.settings import Settings
from automation.web.console.alarms import alarms
from automation.web.console.call import Anyone, Call, Support
from automation.web.console.forms import reason_in

router = APIRouter()
Field = Annotated[str, Form()]
RUNS, NIGHTS = 21, 14


@router.get("/health")
def show_health(call: Anyone) -> Response:
    return _page(call)


@router.post("/health/pause")
def do_pause(call: Support, scope: Field = "", reason: Field = "") -> Response:
    return _done(call, scope, reason, ends=False)


@router.post("/health/resume")
def do_resume(call: Support, scope: Field = "", reason: Field = "") -> Response:
    return _done(call, scope, reason, ends=True)


def _done(call: Call, scope: str, reason: str, *, ends: bool) -> Response:
    """Playbooks and customers have pages of their own."""
    try:
        words = _given(call, scope, reason)
        with call.writing() as connection:
            if ends:
                resume(connection, scope, call.actor, words, call.now)
            else:
                pause(connection, scope, call.actor, words, None, call.now)
    except BadInput as error:
        return _page(call, problem=str(error))
    return call.back("/health", "health.resumed" if ends else "health.paused")


def _given(call: Call, scope: str, reason: str) -> str:
    if scope not in _scopes(call.office.settings):
        raise BadInput(call.office.texts("health.problem_scope"))
    return reason_in(call, reason)


def _scopes(settings: Settings) -> list[str]:
    return [EVERYTHING, *map(scope_of, settings.providers)]


def _page(call: Call, *, problem: str | None = None) -> Response:
    settings, now = call.office.settings, call.now
    with call.reading() as connection:
        incidents = incidents_now(connection, ended_too=True)
        values: dict[str, Any] = {
            "alarms": alarms(connection, settings, now),
            "providers": providers_now(connection, settings, now),
            "rates": rates_in_force(connection, settings.providers, now),
            "pauses": other_pauses(connection, now),
            "workers": worker_lives(connection, now),
            "runs": latest_runs(connection, RUNS),
            "downtimes": latest_downtimes(connection, NIGHTS),
            "checks": latest_checks(connection, NIGHTS),
            "open": open_messages(connection, now),
            "calls": calls_waiting(connection),
            "size": size_of(connection),
        }
    values |= {"current": [one for one in incidents if one.closed_at is None]}
    values |= {"past": [one for one in incidents if one.closed_at is not None]}
    values |= {"revision": newest(), "everything": EVERYTHING}
    return call.page("health.html", problem=problem, scope_of=scope_of, **values)
