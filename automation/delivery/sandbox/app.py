"""The sandbox's routes: the vendors, the mailbox's pages, its log as JSON, and the fault switches."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from automation.delivery.sandbox import pages, postmark, resend, twilio
from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.faults import Fault, Faults, troubled
from automation.delivery.sandbox.keys import Keys
from automation.delivery.sandbox.mailbox import Mailbox

LARGEST_BODY = 50_000_000
LARGEST_PAGE, USUAL_PAGE = 10_000, 100
MESSAGES_JSON = "/2010-04-01/Accounts/{sid}/Messages.json"
LONGEST_NUMBER = 16
# A foreign page whose name was made to resolve to this machine has another Host.
HOSTS = ["127.0.0.1", "localhost", "::1", "[::1]"]
ABSENT = PlainTextResponse("No message has this number.", 404)
FOREIGN = PlainTextResponse("Use the sandbox's own page.", 403)
ERROR_BODIES = {postmark.KIND: postmark.refusal, resend.KIND: resend.refusal, twilio.KIND: twilio.refusal}
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(keep: Path | None = None) -> Starlette:
    """The provider, its mailbox and its fault switches. Raises BadInput when `keep` is no usable file."""
    mailbox, faults = Mailbox(keep), Faults()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        mailbox.close()

    routes = [
        *_vendor_routes(mailbox, faults),
        *_page_routes(mailbox, faults),
        *_log_routes(mailbox),
        *_fault_routes(faults),
    ]
    return Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)],
        exception_handlers={ClientDisconnect: _went_away},
    )


async def _went_away(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the signature is the library's)
    """Whoever hangs up in the middle of a request has sent nothing."""
    return Response(status_code=400)


def _vendor_routes(mailbox: Mailbox, faults: Faults) -> list[Route]:
    keys = Keys(mailbox)

    def sending(kind: str, act: Callable[[Post], Result]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await _send(request, kind, act, mailbox, faults, keys)

        return endpoint

    async def outbound(request: Request) -> Response:
        return _json(postmark.search(mailbox, _post(request, b""), request.query_params))

    async def listed(request: Request) -> Response:
        return _json(twilio.listed(mailbox, _post(request, b""), request.query_params))

    return [
        Route("/email", sending(postmark.KIND, postmark.single), methods=["POST"]),
        Route("/email/batch", sending(postmark.KIND, postmark.batch), methods=["POST"]),
        Route("/messages/outbound", outbound),
        Route("/emails", sending(resend.KIND, resend.single), methods=["POST"]),
        Route("/emails/batch", sending(resend.KIND, resend.batch), methods=["POST"]),
        Route(MESSAGES_JSON, sending(twilio.KIND, twilio.create), methods=["POST"]),
        Route(MESSAGES_JSON, listed),
    ]


async def _send(
    request: Request, kind: str, act: Callable[[Post], Result], mailbox: Mailbox, faults: Faults, keys: Keys
) -> Response:
    body = await _body(request)
    if body is None:
        return Response("<h1>413 Payload Too Large</h1>", 413, media_type="text/html")
    post = _post(request, body)
    result = keys.recall(post, act(post))
    fault = faults.next(kind)
    with keys.handling(post, result) as answered:
        if result.taken and (fault is None or fault.takes):
            mailbox.take(result.taken, answered)
        if fault is None:
            return _json(result)
        return await troubled(fault, request, _json(result), ERROR_BODIES[kind](fault.answer or 0))


async def _body(request: Request) -> bytes | None:
    """None when it is larger than any vendor takes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            return None
    return bytes(body)


def _post(request: Request, body: bytes) -> Post:
    # A server at the edge reads the clock; everything inside is told the time.
    return Post(request.headers, request.path_params, body, datetime.now(UTC))


def _json(result: Result) -> Response:
    return JSONResponse(result.payload, result.status)


def _page_routes(mailbox: Mailbox, faults: Faults) -> list[Route]:
    async def index(request: Request) -> Response:
        number = max(1, _number(request.query_params.get("page"), 1))
        rows = mailbox.page(pages.SIZE, (number - 1) * pages.SIZE)
        return pages.index(rows, mailbox.count(), number, faults.listed())

    async def message(request: Request) -> Response:
        row = mailbox.one(_number(request.path_params["number"], 0))
        return pages.message(row) if row else ABSENT

    async def html(request: Request) -> Response:
        row = mailbox.one(_number(request.path_params["number"], 0))
        return pages.mail_html(row["html"]) if row else ABSENT

    return [
        Route("/", index),
        Route("/messages/{number}", message),
        Route("/messages/{number}/html", html),
        Route("/sandbox.css", pages.stylesheet),
    ]


def _log_routes(mailbox: Mailbox) -> list[Route]:
    async def messages(request: Request) -> Response:
        after = _number(request.query_params.get("after"), 0)
        limit = min(_number(request.query_params.get("limit"), USUAL_PAGE), LARGEST_PAGE)
        return JSONResponse({"count": mailbox.count(), "messages": mailbox.after(after, limit)})

    async def clear(request: Request) -> Response:
        if _foreign(request):
            return FOREIGN
        mailbox.clear()
        return Response(status_code=204)

    return [Route("/api/messages", messages), Route("/api/messages", clear, methods=["DELETE"])]


def _fault_routes(faults: Faults) -> list[Route]:
    async def add(request: Request) -> Response:
        return FOREIGN if _foreign(request) else await _add_fault(request, faults)

    async def listed(_: Request) -> Response:
        return JSONResponse(faults.listed())

    async def clear(request: Request) -> Response:
        if _foreign(request):
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
    body = await _body(request) or b""
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        faults.add(Fault.model_validate(dict(parse_qsl(body.decode()))) if form else Fault.model_validate_json(body))
    except ValidationError as error:
        return JSONResponse(error.errors(include_url=False, include_input=False, include_context=False), 422)
    return RedirectResponse("/", 303) if form else JSONResponse(faults.listed(), 201)


def _foreign(request: Request) -> bool:
    """A form on somebody else's page."""
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and 0 < len(text) < LONGEST_NUMBER else default
