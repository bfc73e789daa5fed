"""One customer: who they are, what may be sent to them, everything that happened, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from automation.clock import local_date
from automation.customers.consent import CHANNELS
from automation.customers.wish import BASES
from automation.delivery.answers.timeline_sources import KINDS
from automation.reasons import BY_KEY
from automation.web.console.call import Anyone, Call
from automation.web.console.formats import customer_url
from automation.web.console.whole_customer import ALL, Asked, book_of, whole_customer

router = APIRouter()


@router.get("/customer")
def show_customer(
    call: Anyone,
    customer_id: Annotated[str, Query(alias="id")],
    kind: str = "",
    before: str = "",
    playbook: str = "",
    day: str = "",
) -> Response:
    return customer_page(call, Asked(customer_id, kind, before, playbook, day))


def customer_page(call: Call, asked: Asked, *, problem: str | None = None) -> Response:
    """`problem`: why something was not done; the page is shown again with it."""
    book, mistakes = book_of(call)
    with call.reading() as connection:
        shown = whole_customer(call, connection, book, asked)
    return call.page(
        "customer.html",
        problem=problem,
        mistakes=mistakes,
        one=shown,
        who=shown.past.customer,
        sight=shown.sight,
        asked=asked,
        may_act=call.may("support") and shown.past.customer.erased_at is None,
        names={stage.key: stage.name for stage in book.lifecycle.stages},
        playbooks=sorted({*book.playbooks, *(passage.playbook for passage in shown.past.passages)}),
        kinds=KINDS,
        channels=CHANNELS,
        bases=BASES,
        everything=ALL,
        here=customer_url(asked.customer_id),
        sentence=sentence,
        day_of=lambda moment: local_date(moment, call.office.settings.business.zone).isoformat(),
        masked=lambda value: masked(shown.sight, asked.customer_id, value),
    )


def sentence(reason: str | None) -> str:
    """What a reason means; nothing when there is none."""
    found = BY_KEY.get(reason or "")
    return found.sentence if found else reason or ""


def masked(sight: Any, customer_id: str, value: Any) -> Any:
    """A value of a fact, an attribute or a property, as this person may read it."""
    if isinstance(value, str):
        return sight.text(customer_id, value)
    return sight.text(customer_id, str(value)) if isinstance(value, list | dict) else value
