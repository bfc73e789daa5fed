"""What people did by hand, the newest first."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Select, select
from starlette.responses import Response

from automation.database.audit import ACTS
from automation.database.schema import audit_log
from automation.web.console.call import Call, Support

router = APIRouter()
PAGE = 50


@router.get("/audit")
def show_audit(call: Support, actor: str = "", act: str = "", about: str = "", before: int | None = None) -> Response:
    wanted = {"actor": actor.strip(), "act": act.strip(), "about": about.strip()}
    with call.reading() as connection:
        rows = connection.execute(_rows(wanted, before).limit(PAGE + 1)).all()
    older = rows[PAGE - 1].number if len(rows) > PAGE else None
    return call.page("audit.html", rows=rows[:PAGE], older=older, wanted=wanted, acts=_acts(call, wanted["act"]))


def _acts(call: Call, chosen: str) -> list[tuple[str, str]]:
    """What can be asked for, in words; also what is asked for and nothing knows."""
    texts = call.office.texts
    return [
        ("", texts("log.any")),
        *((act, texts.of("act.", act)) for act in dict.fromkeys([*ACTS, *filter(None, [chosen])])),
    ]


def _rows(wanted: dict[str, str], before: int | None) -> Select[Any]:
    rows = select(audit_log).order_by(audit_log.c.number.desc())
    for column, value in wanted.items():
        if value:
            rows = rows.where(audit_log.c[column] == value)
    return rows if before is None else rows.where(audit_log.c.number < before)
