"""One message: why it went or did not, what became of it, its copy, and what support staff may do about it."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path
from sqlalchemy import Connection
from starlette.responses import Response

from automation.delivery.answers.explain import gates_told
from automation.delivery.answers.one_message import message_told
from automation.delivery.answers.past import Past
from automation.delivery.desk import open_desk
from automation.delivery.health import by_hand
from automation.delivery.resend import GONE_OUT, Wish, next_copy, resend
from automation.errors import BadFiles, BadInput, UnknownMessage
from automation.lifecycle.conditions import Check
from automation.reasons import BY_KEY
from automation.web.accounts.unmasking import Sight
from automation.web.console.call import Anyone, Call, Support
from automation.web.console.formats import message_url
from automation.web.console.forms import reason_in
from automation.web.console.frames import framed

router = APIRouter()
MessageId = Annotated[int, Path(ge=1, lt=2**63)]
Reason = Annotated[str, Form()]
# Links in a copy that act for the customer: whoever may not read an address may not use them either.
OWN_LINK = re.compile(r"/(u|p|s)/[\w.~=-]{8,}")


@router.get("/messages/{message_id}")
def show_message(call: Anyone, message_id: MessageId) -> Response:
    return _page(call, message_id)


@router.get("/messages/{message_id}/html")
def show_html(call: Anyone, message_id: MessageId) -> Response:
    with call.reading() as connection:
        told = _told(call, connection, message_id)
    copy = told["content"]
    if copy is None or not copy.get("html"):
        raise UnknownMessage(f"message {message_id} has no HTML to show")
    return framed(copy["html"])


@router.post("/messages/{message_id}/resend")
def do_resend(
    call: Support, message_id: MessageId, reason: Reason = "", number: Annotated[int, Form()] = 0
) -> Response:
    try:
        wish = Wish(message_id, call.actor, reason_in(call, reason), number or None)
        book = call.office.book()
        with call.writing() as connection:
            made = resend(connection, open_desk(connection, call.office.settings, book), wish, call.now)
    except UnknownMessage:
        raise
    except BadInput as error:
        return _page(call, message_id, str(error))
    return call.back(message_url(made.message_id), "message.resent")


@router.post("/messages/{message_id}/resolve")
def do_resolve(
    call: Support, message_id: MessageId, verdict: Annotated[Literal["sent", "failed"], Form()], reason: Reason = ""
) -> Response:
    try:
        words = reason_in(call, reason)
        with call.writing() as connection:
            by_hand.resolve(connection, message_id, verdict, call.actor, words, call.now)
    except UnknownMessage:
        raise
    except BadInput as error:
        return _page(call, message_id, str(error))
    return call.back(message_url(message_id), "message.resolved")


def _page(call: Call, message_id: int, problem: str | None = None) -> Response:
    with call.reading() as connection:
        told = _told(call, connection, message_id)
        sight = call.sight(connection)
        checks = _checks(call, connection, told)
        number = next_copy(connection, message_id)
    shown = [Check(one.rule, sight.text(told["customer_id"], str(one.value)), one.passed) for one in checks]
    values: dict[str, Any] = {
        "one": told,
        "checks": shown,
        "number": number,
        "can_resend": told["status"] in GONE_OUT,
        "reasons": BY_KEY,
    }
    return call.page("message.html", problem=problem, sight=sight, **values)


def _told(call: Call, connection: Connection, message_id: int) -> dict[str, Any]:
    """As far as whoever asks may read it. Raises UnknownMessage."""
    told = message_told(connection, message_id, call.office.settings.business.locale)
    sight, customer_id = call.sight(connection), told["customer_id"]
    if sight.is_clear(customer_id):
        return told
    told["to"] = sight.of(customer_id, told["to"])
    for rows, name in (("attempts", "detail"), ("outcomes", "detail"), ("acts", "note")):
        told[rows] = [{**row, name: _hidden(sight, customer_id, row[name])} for row in told[rows]]
    if told["content"] is not None:
        told["content"] = {
            key: _hidden(sight, customer_id, value) if isinstance(value, str) else value
            for key, value in told["content"].items()
        }
    return told


def _hidden(sight: Sight, customer_id: str, text: str | None) -> str | None:
    return text and OWN_LINK.sub(r"/\1/…", sight.text(customer_id, text))


def _checks(call: Call, connection: Connection, told: dict[str, Any]) -> Sequence[Check]:
    """None while the marketers' files have mistakes: without them nothing can be asked again."""
    try:
        desk = open_desk(connection, call.office.settings, call.office.book())
    except BadFiles:
        return ()
    return gates_told(Past(connection, desk, told["customer_id"], call.now), told["message_id"])
