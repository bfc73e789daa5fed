"""Finding a customer by whatever they name themselves by."""

from fastapi import APIRouter
from starlette.responses import Response

from automation.delivery.answers.search import search
from automation.web.console.call import Anyone

router = APIRouter()


@router.get("/customers")
def show_customers(call: Anyone, q: str = "") -> Response:
    with call.reading() as connection:
        found = search(connection, q)
        sight = call.sight(connection)
    return call.page("customers.html", words=q.strip(), found=found, sight=sight)
