"""What the sandbox tells, as JSON, by hand, and the certificate that some of it is checked with."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from automation.delivery.sandbox.exchange import body_of, number
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.switches import FOREIGN, LARGEST_PAGE, USUAL_PAGE, is_foreign
from automation.delivery.sandbox.telling.keys import certificate
from automation.delivery.sandbox.telling.sns import CERTIFICATE_PATH
from automation.delivery.sandbox.telling.story import BY_HAND, STOP
from automation.delivery.sandbox.telling.teller import Teller

LARGEST_FORM, LONGEST_TEXT = 10_000, 1600
ABSENT = PlainTextResponse("No message has this number.", 404)
DEAF = PlainTextResponse("Nobody listens for this vendor; start the sandbox with --tell.", 409)
WRONG = PlainTextResponse(f"outcome is one of {', '.join(BY_HAND)}.", 422)


def telling_routes(mailbox: Mailbox, teller: Teller) -> list[Route]:
    async def tell(request: Request) -> Response:
        return FOREIGN if is_foreign(request) else await _by_hand(request, mailbox, teller)

    async def told(request: Request) -> Response:
        after = number(request.query_params.get("after"), 0)
        limit = min(number(request.query_params.get("limit"), USUAL_PAGE), LARGEST_PAGE)
        return JSONResponse({"waiting": teller.queue.waiting(), "told": teller.queue.after(after, limit)})

    async def certificates(_: Request) -> Response:
        return Response(certificate(), media_type="application/x-pem-file")

    return [
        Route("/messages/{number}/tell", tell, methods=["POST"]),
        Route("/api/told", told),
        Route(CERTIFICATE_PATH, certificates),
    ]


async def _by_hand(request: Request, mailbox: Mailbox, teller: Teller) -> Response:
    row = mailbox.one(number(request.path_params["number"], 0))
    if row is None:
        return ABSENT
    if not teller.listens(row["kind"]):
        return DEAF
    body = await body_of(request, LARGEST_FORM) or b""
    form = dict(parse_qsl(body.decode("utf-8", "replace")))
    if form.get("outcome") not in BY_HAND:
        return WRONG
    teller.by_hand(row["id"], form["outcome"], form.get("text", STOP)[:LONGEST_TEXT])
    return RedirectResponse(f"/messages/{row['id']}", 303)
