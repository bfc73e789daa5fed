"""The sandbox's routes: the vendors, the mailbox's pages, its log as JSON, and the fault switches."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from automation.delivery.sandbox import pages, postmark, resend, twilio
from automation.delivery.sandbox.exchange import Post, Result, body_of, number
from automation.delivery.sandbox.faults import Fault, Faults
from automation.delivery.sandbox.keys import Keys
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.switches import fault_routes, log_routes
from automation.delivery.sandbox.troubles import troubled

LARGEST_BODY = 50_000_000
MESSAGES_JSON = "/2010-04-01/Accounts/{sid}/Messages.json"
# A foreign page whose name was made to resolve to this machine has another Host.
HOSTS = ["127.0.0.1", "localhost", "::1", "[::1]"]
ABSENT = PlainTextResponse("No message has this number.", 404)
ERROR_BODIES = {postmark.KIND: postmark.refusal, resend.KIND: resend.refusal, twilio.KIND: twilio.refusal}
Endpoint = Callable[[Request], Awaitable[Response]]
Search = Callable[[Mailbox, Post, Mapping[str, str]], Result]


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
        *log_routes(mailbox, faults),
        *fault_routes(faults),
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

    def searching(kind: str, act: Search) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            good = _json(act(mailbox, _post(request, b""), request.query_params))
            fault = faults.next(kind, "look_up")
            return await _troubled(fault, kind, request, good, faults) if fault else good

        return endpoint

    return [
        Route("/email", sending(postmark.KIND, postmark.single), methods=["POST"]),
        Route("/email/batch", sending(postmark.KIND, postmark.batch), methods=["POST"]),
        Route("/messages/outbound", searching(postmark.KIND, postmark.search)),
        Route("/emails", sending(resend.KIND, resend.single), methods=["POST"]),
        Route("/emails/batch", sending(resend.KIND, resend.batch), methods=["POST"]),
        Route(MESSAGES_JSON, sending(twilio.KIND, twilio.create), methods=["POST"]),
        Route(MESSAGES_JSON, searching(twilio.KIND, twilio.listed)),
    ]


async def _send(
    request: Request, kind: str, act: Callable[[Post], Result], mailbox: Mailbox, faults: Faults, keys: Keys
) -> Response:
    body = await body_of(request, LARGEST_BODY)
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
        return await _troubled(fault, kind, request, _json(result), faults)


async def _troubled(fault: Fault, kind: str, request: Request, good: Response, faults: Faults) -> Response:
    return await troubled(fault, request, good, ERROR_BODIES[kind](fault.answer or 0), faults.seen)


def _post(request: Request, body: bytes) -> Post:
    # A server at the edge reads the clock; everything inside is told the time.
    return Post(request.headers, request.path_params, body, datetime.now(UTC))


def _json(result: Result) -> Response:
    return JSONResponse(result.payload, result.status)


def _page_routes(mailbox: Mailbox, faults: Faults) -> list[Route]:
    async def index(request: Request) -> Response:
        place = max(1, number(request.query_params.get("page"), 1))
        rows = mailbox.page(pages.SIZE, (place - 1) * pages.SIZE)
        return pages.index(rows, mailbox.count(), place, faults.listed())

    async def message(request: Request) -> Response:
        row = mailbox.one(number(request.path_params["number"], 0))
        return pages.message(row) if row else ABSENT

    async def html(request: Request) -> Response:
        row = mailbox.one(number(request.path_params["number"], 0))
        return pages.mail_html(row["html"]) if row else ABSENT

    return [
        Route("/", index),
        Route("/messages/{number}", message),
        Route("/messages/{number}/html", html),
        Route("/sandbox.css", pages.stylesheet),
    ]
