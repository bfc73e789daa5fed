"""The sandbox's routes: the vendors, the mailbox's pages, its log as JSON, and the fault switches."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from automation.delivery.sandbox import pages
from automation.delivery.sandbox.exchange import Post, Result, body_of, number
from automation.delivery.sandbox.faults import Fault, Faults
from automation.delivery.sandbox.keys import Keys
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.switches import fault_routes, log_routes
from automation.delivery.sandbox.telling import Ear
from automation.delivery.sandbox.telling.routes import ABSENT, telling_routes
from automation.delivery.sandbox.telling.teller import Teller
from automation.delivery.sandbox.troubles import troubled
from automation.delivery.sandbox.vendors import VENDORS, Search, Send, Vendor

LARGEST_BODY = 50_000_000
# A foreign page whose name was made to resolve to this machine has another Host.
HOSTS = ["127.0.0.1", "localhost", "::1", "[::1]"]
Endpoint = Callable[[Request], Awaitable[Response]]
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Reception:
    """What a message that comes in needs."""

    mailbox: Mailbox
    faults: Faults
    keys: Keys
    teller: Teller
    clock: Clock


def real_time() -> datetime:
    # A server at the edge reads the clock; everything inside is told the time.
    return datetime.now(UTC)


def create_app(
    keep: Path | None = None, ears: Mapping[str, Ear] | None = None, pace: float = 1, clock: Clock = real_time
) -> Starlette:
    """The provider, its mailbox and its fault switches. `ears`: who is told what becomes of messages, by kind; `pace`:
    seconds until then take so many times as long. Raises BadInput when `keep` is no usable file.
    """
    mailbox, faults = Mailbox(keep), Faults()
    teller = Teller(mailbox, ears, pace, clock)
    reception = Reception(mailbox, faults, Keys(mailbox), teller, clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with teller:
            yield
        mailbox.close()

    routes = [
        *_vendor_routes(reception),
        *_page_routes(mailbox, faults, teller),
        *telling_routes(mailbox, teller),
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


def _vendor_routes(reception: Reception) -> list[Route]:
    def sending(vendor: Vendor, act: Send) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            return await _send(request, vendor, act, reception)

        return endpoint

    def searching(vendor: Vendor, act: Search) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            good = _answer(act(reception.mailbox, _post(request, b"", reception.clock()), request.query_params))
            fault = reception.faults.next(vendor.kind, "look_up")
            return await _troubled(fault, vendor, request, good, reception.faults) if fault else good

        return endpoint

    return [
        *(Route(path, sending(one, act), methods=["POST"]) for one in VENDORS for path, act in one.sending.items()),
        *(Route(path, searching(one, act)) for one in VENDORS for path, act in one.searching.items()),
    ]


async def _send(request: Request, vendor: Vendor, act: Send, reception: Reception) -> Response:
    body = await body_of(request, LARGEST_BODY)
    if body is None:
        return Response("<h1>413 Payload Too Large</h1>", 413, media_type="text/html")
    post = _post(request, body, reception.clock())
    result = reception.keys.recall(vendor, post, act(post))
    fault = reception.faults.next(vendor.kind)
    with reception.keys.handling(vendor, post, result) as answered:
        if result.taken and (fault is None or fault.takes):
            reception.mailbox.take(result.taken, answered, reception.teller.taken)
        if fault is None:
            return _answer(result)
        return await _troubled(fault, vendor, request, _answer(result), reception.faults)


async def _troubled(fault: Fault, vendor: Vendor, request: Request, good: Response, faults: Faults) -> Response:
    return await troubled(fault, request, good, vendor.refusal(fault.answer or 0), faults.seen)


def _post(request: Request, body: bytes, at: datetime) -> Post:
    return Post(request.headers, request.path_params, body, at)


def _answer(result: Result) -> Response:
    if result.payload is None:
        media_type = "text/plain" if result.text else None
        return Response(result.text, result.status, result.headers, media_type)
    return JSONResponse(result.payload, result.status, result.headers)


def _page_routes(mailbox: Mailbox, faults: Faults, teller: Teller) -> list[Route]:
    async def index(request: Request) -> Response:
        place = max(1, number(request.query_params.get("page"), 1))
        rows = mailbox.page(pages.SIZE, (place - 1) * pages.SIZE)
        return pages.index(rows, mailbox.count(), place, faults.listed())

    async def message(request: Request) -> Response:
        row = mailbox.one(number(request.path_params["number"], 0))
        return pages.message(row, teller.queue.of(row["id"]), is_heard=teller.listens(row["kind"])) if row else ABSENT

    async def html(request: Request) -> Response:
        row = mailbox.one(number(request.path_params["number"], 0))
        return pages.mail_html(row["html"]) if row else ABSENT

    return [
        Route("/", index),
        Route("/messages/{number}", message),
        Route("/messages/{number}/html", html),
        Route("/sandbox.css", pages.stylesheet),
    ]
