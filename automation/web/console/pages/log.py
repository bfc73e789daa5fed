"""The send log: one box for whatever a message can be found by, filters, pages, and all of it as a file."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from automation.clock import day_start
from automation.delivery.answers.history import LOG_KEYS, LogFilter, Meant
from automation.delivery.answers.log import LogPage, log_page, log_rows
from automation.delivery.answers.log_file import csv_lines
from automation.delivery.answers.meant import meant
from automation.delivery.answers.playbook_history import ever_used
from automation.errors import BadInput
from automation.reasons import BY_KEY, STATUSES
from automation.settings import CHANNELS
from automation.web.accounts.unmasking import Sight
from automation.web.console.call import Anyone, Call

router = APIRouter()
PAGE = 50
NOTHING = Meant()
FILE = {"content-disposition": 'attachment; filename="send-log.csv"'}
IN_WORDS = ("status_in_words", "reason_in_words")


@dataclass(frozen=True)
class Asked:
    """As the form says it: nothing in a field is nothing asked for."""

    q: str = ""
    playbook: str = ""
    step: str = ""
    channel: str = ""
    status: str = ""
    reason: str = ""
    since: str = ""
    until: str = ""

    def url(self, path: str = "/log", **more: Any) -> str:
        said = {name: value for name, value in {**asdict(self), **more}.items() if value}
        return f"{path}?{urlencode(said)}" if said else path


AskedHere = Annotated[Asked, Depends()]


@router.get("/log")
def show_log(call: Anyone, asked: AskedHere, before: int | None = None, after: int | None = None) -> Response:
    problem, page = None, LogPage([])
    with call.reading() as connection:
        try:
            page = log_page(connection, _wanted(call, connection, asked), PAGE, before, after)
        except BadInput as error:
            problem = str(error)
        sight, choices = call.sight(connection), _choices(call, connection, asked)
    values: dict[str, Any] = {"page": page, "asked": asked, "reasons": BY_KEY, "sight": sight, "choices": choices}
    return call.page("log.html", problem=problem, **values)


@router.get("/log.csv")
def send_log(call: Anyone, asked: AskedHere) -> Response:
    with call.reading() as connection:
        wanted = _wanted(call, connection, asked)
    return StreamingResponse(_lines(call, wanted), media_type="text/csv; charset=utf-8", headers=FILE)


def _lines(call: Call, wanted: LogFilter) -> Iterator[str]:
    with call.reading() as connection:
        sight = call.sight(connection)
        rows = (_told(call, sight, row) for row in log_rows(connection, wanted))
        yield from csv_lines(rows, (*LOG_KEYS, *IN_WORDS))


def _told(call: Call, sight: Sight, row: dict[str, Any]) -> dict[str, Any]:
    reason = BY_KEY.get(row["reason"] or "")
    words = (call.office.texts(f"status.{row['status']}"), reason.sentence if reason else None)
    to = sight.of(row["customer_id"], row["to"])
    return {**row, "to": to, **dict(zip(IN_WORDS, words, strict=True))}


def _wanted(call: Call, connection: Connection, asked: Asked) -> LogFilter:
    """Raises BadInput for what is no date."""
    zone = call.office.settings.business.zone
    since, until = _day(asked.since), _day(asked.until)
    alike = {name: getattr(asked, name) or None for name in ("playbook", "step", "channel", "status", "reason")}
    wanted = LogFilter(
        **alike,
        since=day_start(since, zone) if since else None,
        until=day_start(until + timedelta(days=1), zone) - timedelta(microseconds=1) if until else None,
    )
    words = asked.q.strip()
    return replace(wanted, meant=meant(connection, words) or NOTHING) if words else wanted


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput(f'"{text}" is no date; write one like 2026-01-31') from None


def _choices(call: Call, connection: Connection, asked: Asked) -> dict[str, list[tuple[str, str]]]:
    """What the form offers of each, in words. What is asked for is offered too, whether it is there or not."""
    texts, playbooks = call.office.texts, call.office.draft().playbooks
    chosen = [playbooks[asked.playbook]] if asked.playbook in playbooks else playbooks.values()
    offered: dict[str, dict[str, str]] = {
        "playbook": {key: key for key in sorted({*playbooks, *ever_used(connection)})},
        "step": {key: key for key in sorted({step.key for playbook in chosen for step in playbook.steps})},
        "channel": {key: texts(f"channel.{key}") for key in CHANNELS},
        "status": {key: texts(f"status.{key}") for key in STATUSES},
        "reason": {key: reason.sentence for key, reason in BY_KEY.items()},
    }
    for name, words in offered.items():
        words.setdefault(getattr(asked, name), getattr(asked, name))
    return {
        name: [("", texts("log.any")), *((key, told) for key, told in words.items() if key)]
        for name, words in offered.items()
    }
