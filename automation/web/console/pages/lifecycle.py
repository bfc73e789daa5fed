"""Where customers stand, how that changed, who moved from where to where, and how long they stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from automation.clock import DAY, local_date
from automation.errors import BadFiles, BadInput
from automation.lifecycle.model import Lifecycle
from automation.playbooks.load import Book
from automation.reports.asked import Asked
from automation.reports.course import Course
from automation.reports.kept import Kept, newest
from automation.reports.moved import stages_by_date
from automation.reports.period import Period
from automation.web.console.call import Anyone, Call
from automation.web.console.charts.areas import areas
from automation.web.console.charts.flows import Flows, flows
from automation.web.console.moves import moves

router = APIRouter()
SHOWN = {"30": 30, "90": 90, "365": 365}
USUAL = "90"
EARLIEST = date(1970, 1, 1)  # of all calendars' dates those that every zone has; nobody moved before
Moves = Mapping[tuple[str, str], int]
CAME = ""  # where somebody stood who was not there yet


@dataclass(frozen=True)
class Movement:
    """Customers by where they stood before the first date and where at the end of the last one."""

    since: date
    until: date
    pairs: Moves

    @property
    def stayed(self) -> int:
        return sum(count for (before, after), count in self.pairs.items() if before == after)

    @property
    def moved(self) -> int:
        return sum(self.pairs.values()) - self.stayed


@router.get("/lifecycle")
def show_lifecycle(call: Anyone, since: str = "", until: str = "", who: str = "moved", days: str = USUAL) -> Response:
    draft, problem = call.office.draft(), None
    today = local_date(call.now, call.office.settings.business.zone)
    shown = SHOWN.get(days, SHOWN[USUAL])
    with call.reading() as connection:
        kept = newest(connection, "lifecycle")
        history = stages_by_date(connection, today - timedelta(days=shown), today)
    try:
        movement = _movement(call, kept, since, until, today)
    except BadInput as error:
        movement, problem = _movement(call, kept, "", "", today), str(error)
    names, order = _stages(draft.lifecycle, kept, movement, history)
    return call.page(
        "lifecycle.html",
        problem=problem,
        kept=kept,
        lifecycle=draft.lifecycle,
        names=names,
        order=order,
        history=history,
        drawn=areas(history, order),
        days=str(shown),
        choices=list(SHOWN),
        movement=movement,
        flows=_flows(movement, order, everybody=who == "all"),
        who=who,
        chosen=(since, until),
        problems=sorted(draft.problems),
    )


def _movement(call: Call, kept: Kept | None, since: str, until: str, today: date) -> Movement | None:
    """What is kept, unless dates are chosen. Raises BadInput."""
    if since or until:
        period = _period(call, since, until, today)
        return Movement(period.since, period.until, _moves(call, period))
    if kept is None:
        return None
    first, last = (date.fromisoformat(kept.counted[key]) for key in ("since", "until"))
    return Movement(first, last, {(before or CAME, after): count for before, after, count in kept.counted["moved"]})


def _period(call: Call, since: str, until: str, today: date) -> Period:
    texts = call.office.texts
    try:
        last = date.fromisoformat(until) if until else today
        first = date.fromisoformat(since) if since else last - 29 * DAY
    except ValueError:
        raise BadInput(texts("lifecycle.no_date")) from None
    if first > last or last > today:
        raise BadInput(texts("lifecycle.no_period"))
    first, last = max(first, EARLIEST), max(last, EARLIEST)
    return Period(first, last, call.office.settings.business.zone)


def _moves(call: Call, period: Period) -> Moves:
    draft = call.office.draft()
    if draft.facts is None or draft.lifecycle is None:
        raise BadFiles(draft.problems)
    book, lifecycle = Book(draft.facts, draft.lifecycle, draft.playbooks), draft.lifecycle

    def asked(connection: Connection) -> Asked:
        return Asked(connection, call.office.settings, book, period, lifecycle, call.now)

    return {(before or CAME, after): count for (before, after), count in moves(call.reading, asked).items()}


def _stages(
    lifecycle: Lifecycle | None, kept: Kept | None, movement: Movement | None, history: Mapping[date, Mapping[str, int]]
) -> tuple[dict[str, str], list[str]]:
    """Names by key, and keys in the lifecycle's order: those of another one that are still told of come last."""
    names = {stage.key: stage.name for stage in lifecycle.stages} if lifecycle else {}
    seen = {key for one in history.values() for key, count in one.items() if count}
    seen |= {key for pair in (movement.pairs if movement else ()) for key in pair} - {CAME}
    seen |= set(_told(kept, "inside"))
    order = Course(lifecycle).in_order({*names, *seen}) if lifecycle else sorted(seen)
    return {key: names.get(key, key) for key in order}, order


def _told(kept: Kept | None, part: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = kept.counted[part] if kept else {}
    return found


def _flows(movement: Movement | None, order: list[str], *, everybody: bool) -> Flows | None:
    if movement is None:
        return None
    drawn = {pair: count for pair, count in movement.pairs.items() if everybody or pair[0] != pair[1]}
    return flows(drawn, [*order, CAME], order)
