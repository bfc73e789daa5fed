"""What tests ask of the sandbox itself: its log, what it was asked, and the fault switches."""

from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from automation.delivery.sandbox.exchange import body_of, number
from automation.delivery.sandbox.faults import Fault, Faults
from automation.delivery.sandbox.mailbox import Mailbox

LARGEST_FAULT = 1_000_000
LARGEST_PAGE, USUAL_PAGE, SIZE = 10_000, 100, 25
ABSENT = JSONResponse({"error": "there is no such message"}, 404)
FOREIGN = PlainTextResponse("Use the sandbox's own page.", 403)


def log_routes(mailbox: Mailbox, faults: Faults) -> list[Route]:
    async def messages(request: Request) -> Response:
        after = number(request.query_params.get("after"), 0)
        limit = min(number(request.query_params.get("limit"), USUAL_PAGE), LARGEST_PAGE)
        return JSONResponse({"count": mailbox.count(), "messages": mailbox.after(after, limit)})

    async def newest(request: Request) -> Response:
        place, size = (number(request.query_params.get(name), usual) for name, usual in (("page", 1), ("size", SIZE)))
        rows = mailbox.page(min(size, USUAL_PAGE), (max(1, place) - 1) * size)
        return JSONResponse({"count": mailbox.count(), "newest": [dict(row) for row in rows]})

    async def message(request: Request) -> Response:
        row = mailbox.one(number(request.path_params["number"], 0))
        return JSONResponse(dict(row)) if row else ABSENT

    async def clear(request: Request) -> Response:
        if is_foreign(request):
            return FOREIGN
        mailbox.clear()
        faults.seen.clear()
        return Response(status_code=204)

    async def seen(_: Request) -> Response:
        return JSONResponse(faults.seen)

    return [
        Route("/api/messages", messages),
        Route("/api/messages", clear, methods=["DELETE"]),
        Route("/api/messages/{number}", message),
        Route("/api/mailbox", newest),
        Route("/api/requests", seen),
    ]


def fault_routes(faults: Faults) -> list[Route]:
    async def add(request: Request) -> Response:
        return FOREIGN if is_foreign(request) else await _add_fault(request, faults)

    async def listed(_: Request) -> Response:
        return JSONResponse(faults.listed())

    async def clear(request: Request) -> Response:
        if is_foreign(request):
            return FOREIGN
        faults.clear()
        return RedirectResponse("/", 303) if request.method == "POST" else Response(status_code=204)

    return [
        Route("/faults", add, methods=["POST"]),
        Route("/faults", listed),
        Route("/faults", clear, methods=["DELETE"]),
        Route("/faults/clear", clear, methods=["POST"]),
    ]


async def _add_fault(request: Request, faults: Faults) -> Response:
    body = await body_of(request, LARGEST_FAULT) or b""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        faults.add(Fault.model_validate(dict(parse_qsl(body.decode()))) if form else Fault.model_validate_json(body))
    except ValidationError as error:
        return JSONResponse(error.errors(include_url=False, include_input=False, include_context=False), 422)
    return RedirectResponse("/", 303) if form else JSONResponse(faults.listed(), 201)


def is_foreign(request: Request) -> bool:
    """A form on somebody else's page."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
