"""What the sandbox took instead of a provider: for whoever tries things out on this machine."""

from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.responses import Response

from automation.database.schema import SHARDS, messages
from automation.delivery.sandbox.visit import PAGE, SandboxAway, newest, one_message
from automation.web.accounts.unmasking import Sight
from automation.web.console.call import Anyone, Call
from automation.web.console.frames import framed

router = APIRouter()
NOT_FOUND, AWAY = 404, 503
HIDDEN = ("recipient", "subject", "text", "html")
LONGEST_ID = 18  # digits of a number that every database takes
Owners = dict[str, str]


@router.get("/mailbox")
def show_mailbox(call: Anyone, page: int = 1) -> Response:
    page = min(max(page, 1), 1_000_000)
    try:
        found = newest(_url(call), page)
    except SandboxAway:
        return _away(call)
    rows = _as_seen(call, found.rows)
    return call.page("mailbox.html", rows=rows, count=found.count, page=page, older=page * PAGE < found.count)


@router.get("/mailbox/{number}")
def show_taken(call: Anyone, number: int) -> Response:
    try:
        (row,) = _as_seen(call, [_one(call, number)])
    except SandboxAway:
        return _away(call)
    return call.page("taken.html", row=row)


@router.get("/mailbox/{number}/html")
def show_html(call: Anyone, number: int) -> Response:
    try:
        (row,) = _as_seen(call, [_one(call, number)])
    except SandboxAway:
        return _away(call)
    return framed(row["html"])


def _url(call: Call) -> str:
    url = call.office.settings.sandbox_url
    if url is None:
        raise HTTPException(NOT_FOUND)
    return url


def _one(call: Call, number: int) -> dict[str, Any]:
    found = one_message(_url(call), number)
    if found is None:
        raise HTTPException(NOT_FOUND)
    return found


def _away(call: Call) -> Response:
    return call.page("sandbox_away.html", status=AWAY, url=_url(call))


def _as_seen(call: Call, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As this person may read them, each with our own message's id and its customer where there is one."""
    with call.reading() as connection:
        owners, sight = _owners(connection, [row["mid"] for row in rows]), call.sight(connection)
    return [_seen(row, owners.get(row["mid"]), sight) for row in rows]


def _seen(row: dict[str, Any], owner: str | None, sight: Sight) -> dict[str, Any]:
    shown = {key: sight.text(owner, row[key]) for key in HIDDEN if key in row}
    return {**row, **shown, "message_id": int(row["mid"]) if owner is not None else None, "customer_id": owner}


def _owners(connection: Connection, mids: list[str]) -> Owners:
    """The customer of each message of ours."""
    ids = {int(mid) for mid in mids if mid.isascii() and mid.isdigit() and len(mid) <= LONGEST_ID}
    mine = (messages.c.shard.in_({one % SHARDS for one in ids}), messages.c.message_id.in_(ids))
    rows = connection.execute(select(messages.c.message_id, messages.c.customer_id).where(*mine))
    return {str(row.message_id): row.customer_id for row in rows}
