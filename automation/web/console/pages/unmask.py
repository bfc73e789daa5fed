"""Reading one customer's addresses for an hour, with a reason."""

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import Response

from automation.web.accounts.unmasking import unmask
from automation.web.console.call import Anyone
from automation.web.console.formats import customer_url

router = APIRouter()


@router.post("/unmask")
def do_unmask(
    call: Anyone,
    customer_id: Annotated[str, Form(alias="id")],
    reason: Annotated[str, Form()] = "",
) -> Response:
    with call.writing() as connection:
        unmask(connection, call.person, customer_id, reason, call.now)
    return call.back(customer_url(customer_id), "unmasked")
