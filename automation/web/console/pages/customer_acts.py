"""What support staff do for one customer. Each act has a reason, is on record with their name, and counts before the
next message goes out.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Form
from sqlalchemy import Connection
from starlette.responses import Response

from automation.clock import day_start
from automation.customers.addresses import close_address, reopen_address
from automation.customers.lookup import all_consents_of, find_customer
from automation.customers.wish import Wish, record_wish
from automation.delivery.health import by_hand
from automation.delivery.outcomes.review import review, texts_of
from automation.errors import BadInput, UnknownCustomer, suggest
from automation.web.console.call import Call, Support
from automation.web.console.formats import customer_url
from automation.web.console.forms import lines, reason_in
from automation.web.console.pages.customer import customer_page
from automation.web.console.whole_customer import ALL, Asked, book_of

router = APIRouter(prefix="/customer")
Id = Annotated[str, Form(alias="id")]
Field = Annotated[str, Form()]
Channel = Annotated[Literal["email", "sms"], Form()]
Act = Callable[[Connection, str], str]


@router.post("/unsubscribe")
def do_unsubscribe(
    call: Support, customer_id: Id, channel: Channel, topic: Field = ALL, reason: Field = ""
) -> Response:
    def act(connection: Connection, words: str) -> str:
        _check_topic(call, connection, customer_id, topic)
        record_wish(connection, Wish(customer_id, channel, topic, granted=False), call.actor, words, call.now)
        return "unsubscribed" if topic == ALL else "unsubscribed_topic"

    return _done(call, customer_id, reason, act)


@router.post("/consent")
def do_consent(
    call: Support,
    customer_id: Id,
    channel: Channel,
    topic: Field = ALL,
    basis: Field = "",
    wording: Field = "",
    reason: Field = "",
) -> Response:
    def act(connection: Connection, words: str) -> str:
        _check_topic(call, connection, customer_id, topic)
        wish = Wish(customer_id, channel, topic, granted=True, wording=lines(call, wording), basis=basis)
        return "consent_closed" if record_wish(connection, wish, call.actor, words, call.now) else "consent"

    return _done(call, customer_id, reason, act)


@router.post("/suppress")
def do_suppress(call: Support, customer_id: Id, channel: Channel, reason: Field = "") -> Response:
    def act(connection: Connection, words: str) -> str:
        close_address(connection, customer_id, channel, call.actor, words, call.now)
        return "suppressed"

    return _done(call, customer_id, reason, act)


@router.post("/lift")
def do_lift(call: Support, customer_id: Id, channel: Channel, sure: Field = "", reason: Field = "") -> Response:
    def act(connection: Connection, words: str) -> str:
        was = reopen_address(connection, customer_id, channel, call.actor, words, call.now, sure=sure == "yes")
        return "lifted_returned" if was == "bounced_hard" else "lifted"

    return _done(call, customer_id, reason, act)


@router.post("/pause")
def do_pause(call: Support, customer_id: Id, until: Field = "", reason: Field = "") -> Response:
    def act(connection: Connection, words: str) -> str:
        by_hand.pause(connection, f"customer:{customer_id}", call.actor, words, _beginning(call, until), call.now)
        return "paused"

    return _done(call, customer_id, reason, act)


@router.post("/resume")
def do_resume(call: Support, customer_id: Id, reason: Field = "") -> Response:
    def act(connection: Connection, words: str) -> str:
        by_hand.resume(connection, f"customer:{customer_id}", call.actor, words, call.now)
        return "resumed"

    return _done(call, customer_id, reason, act)


@router.post("/review")
def do_review(
    call: Support,
    customer_id: Id,
    number: Annotated[int, Form(ge=1, lt=2**63)],
    verdict: Annotated[Literal["stop", "keep"], Form()],
    reason: Field = "",
) -> Response:
    def act(connection: Connection, words: str) -> str:
        if all(text.number != number for text in texts_of(connection, customer_id)):
            raise BadInput(call.office.texts("customer.other_text"))
        review(connection, number, verdict, call.actor, words, call.now)
        return "text_stop" if verdict == "stop" else "text_keep"

    return _done(call, customer_id, reason, act)


def _done(call: Call, customer_id: str, reason: str, act: Act) -> Response:
    """Back to the customer, who says what was done; or the page again with why it was not."""
    try:
        words = reason_in(call, reason)
        done = call.office.database.write(partial(_acted, customer_id, words, act))
    except UnknownCustomer:
        raise
    except BadInput as error:
        return customer_page(call, Asked(customer_id), problem=str(error))
    return call.back(customer_url(customer_id), f"customer.{done}")


def _acted(customer_id: str, words: str, act: Act, connection: Connection) -> str:
    find_customer(connection, customer_id)
    return act(connection, words)


def _check_topic(call: Call, connection: Connection, customer_id: str, topic: str) -> None:
    """It is one that a playbook has, or that is on record. Raises BadInput, UnknownCustomer."""
    recorded = all_consents_of(connection, find_customer(connection, customer_id))
    playbooks = book_of(call)[0].playbooks.values()
    known = {ALL, *(one.model.topic for one in playbooks), *(row.topic for row in recorded)}
    if topic not in known:
        raise BadInput(call.office.texts("customer.no_topic", topic=topic, hint=suggest(topic, known - {ALL})))


def _beginning(call: Call, day: str) -> datetime | None:
    """The first instant of a local day to come; None when no day is given. Raises BadInput."""
    if not day:
        return None
    try:
        start = day_start(date.fromisoformat(day), call.office.settings.business.zone)
    except (ValueError, OverflowError):
        raise BadInput(call.office.texts("customer.no_day", day=day)) from None
    if start <= call.now:
        raise BadInput(call.office.texts("customer.past_day"))
    return start
