"""The web application: what providers call, the links in messages, and the console."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from automation.database.engine import Database
from automation.delivery.hooks import HOOKS, HookCall
from automation.delivery.http import Door, Doors
from automation.delivery.outcomes.at_home import key_of
from automation.delivery.outcomes.inbox import keep_call, steps
from automation.faultpoints import reach
from automation.settings import Settings
from automation.web.amazon import KINDS, Amazon
from automation.web.console.app import create_console
from automation.web.console.office import Office
from automation.web.page import body_of
from automation.web.preferences import PreferencePage
from automation.web.probes import Probes
from automation.web.referral import ReferralLink
from automation.web.survey import SurveyPage
from automation.web.unsubscribe import Unsubscribe

log = logging.getLogger(__name__)
PATIENCE = 5  # seconds for the step that is under way at the end
LARGEST = 5_000_000  # bytes of a call
TAKEN = Response(status_code=204)
UNKNOWN, UNSIGNED = PlainTextResponse("unknown", 404), PlainTextResponse("not genuine", 401)
TOO_LARGE, AWAY = PlainTextResponse("too large", 413), PlainTextResponse("try again", 503)
T = TypeVar("T")


@dataclass
class Hooks:
    """`/hooks/<name of the provider>`: checked, kept, answered; then worked out."""

    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    amazon: Amazon
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)
    ending: bool = False

    async def __call__(self, request: Request) -> Response:
        name = request.path_params["provider"]
        provider = self.settings.providers.get(name)
        hook = HOOKS.get(provider.kind) if provider else None
        if provider is None or hook is None:
            return UNKNOWN
        body = await body_of(request, LARGEST)
        if body is None:
            return TOO_LARGE
        call = HookCall(request.method, self._url(request), _headers(request), body)
        key, home = key_of(self.settings, name), provider.base_url if provider.is_loopback else None
        if hook.kind in KINDS:
            key = replace(key, certificates=await self.amazon.certificates(call, key, home))
        if not hook.is_genuine(call, key, self.clock()):
            log.warning("a call for %s was not genuine; check its secret in the environment and at the vendor", name)
            return UNSIGNED
        reach("hook_verified")
        if hook.kind in KINDS:
            await self.amazon.confirm(call, home)
        return await self._keep(name, call)

    async def _keep(self, name: str, call: HookCall) -> Response:
        """Answered only once it is committed: what is not, the vendor tells again."""
        now = self.clock()
        try:
            await self._in_turn(self._write, lambda connection: keep_call(connection, name, call, now))
        except Exception:
            log.exception("a provider's call cannot be kept; the vendor is asked to tell it again")
            return AWAY
        reach("hook_committed")
        self.waiting.set()
        return TAKEN

    def _write(self, work: Callable[[Connection], None]) -> None:
        with self.database.writing() as connection:
            work(connection)

    def _url(self, request: Request) -> str:
        """As the vendor called it: what signs it knows nothing of proxies."""
        query = f"?{request.url.query}" if request.url.query else ""
        return f"{self.settings.business.public_url.rstrip('/')}{request.url.path}{query}"

    async def work(self) -> None:
        """Work out what waits whenever something does; a step that has begun comes to its end."""
        while not self.ending:
            await self.waiting.wait()
            self.waiting.clear()
            try:
                await self._work_out()
            except Exception:
                log.exception("what providers told cannot be worked out now; the worker tries again")

    async def _work_out(self) -> None:
        working = steps(self.database, self.settings, self.clock)
        more: object = True
        while more is not None and not self.ending:
            more = await self._in_turn(next, working, None)

    async def _in_turn(self, work: Callable[..., T], *told: Any) -> T:
        """SQLite has one writer, and a call waits for one step at most; on PostgreSQL it waits for nobody."""
        async with self.writing if self.database.is_sqlite else nullcontext():
            return await run_in_threadpool(work, *told)


def create_app(
    database: Database, settings: Settings, clock: Callable[[], datetime], *, door: Doors = Door
) -> Starlette:
    hooks = Hooks(database, settings, clock, Amazon(door, clock))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        hooks.waiting.set()  # what an earlier process left
        working = asyncio.create_task(hooks.work())
        yield
        hooks.ending = True
        hooks.waiting.set()
        await asyncio.wait([working], timeout=PATIENCE)
        working.cancel()

    async def called(request: Request) -> Response:
        return await hooks(request)

    links, preferences = Unsubscribe(database, settings, clock), PreferencePage(database, settings, clock)
    surveys = SurveyPage(database, settings, clock)
    friends = ReferralLink(database, settings, clock)
    app = Starlette(
        routes=[
            Route("/hooks/{provider}", called, methods=["GET", "POST"]),
            Route("/u/{token}", links.show, methods=["GET"]),
            Route("/u/{token}", links.do, methods=["POST"]),
            Route("/p/{token}", preferences.show, methods=["GET"]),
            Route("/p/{token}", preferences.do, methods=["POST"]),
            Route("/s/{token}/{survey}", surveys.show, methods=["GET"]),
            Route("/s/{token}/{survey}", surveys.do, methods=["POST"]),
            Route("/r/{code}", friends.follow, methods=["GET"]),
            Route("/pages.css", _stylesheet),
            *Probes(database, settings, clock).routes(),
        ],
        lifespan=lifespan,
        exception_handlers={ClientDisconnect: _went_away},
    )
    app.router.default = create_console(Office(database, settings, clock))
    return app


async def _stylesheet(request: Request) -> Response:  # noqa: ARG001 (likewise)
    return FileResponse(Path(__file__).with_name("pages.css"), headers={"cache-control": "max-age=3600"})


def _headers(request: Request) -> dict[str, str]:
    """Those that are not about somebody in between; a password is not kept."""
    return {name.lower(): value for name, value in request.headers.items()}


async def _went_away(request: Request, error: Exception) -> Response:  # noqa: ARG001 (the signature is the library's)
    return Response(status_code=400)
