"""The web application on this machine, over real HTTP, at a time that stands still."""

import asyncio
import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn
from shop import Shop, at
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.web.app import create_app


class Standing:
    """A server for many tests, one after another: to start and to end one takes longer than most of them. Which
    application it is changes.
    """

    def __init__(self) -> None:
        self._app: Starlette | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        listening = listening_on("127.0.0.1", 0)
        self.address = url_of(listening)
        self._end = ExitStack()
        self._end.enter_context(ServerThread(uvicorn.Config(self, log_config=None, lifespan="on"), listening))
        atexit.register(self._end.close)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self._loop = asyncio.get_running_loop()
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
        elif self._app is not None:
            await self._app(scope, receive, send)

    @contextmanager
    def being(self, app: Starlette) -> Iterator[str]:
        lifespan = app.router.lifespan_context(app)
        self._do(lifespan.__aenter__)
        self._app = app
        try:
            yield self.address
        finally:
            self._app = None
            self._do(lambda: lifespan.__aexit__(None, None, None))

    def _do(self, work: Callable[[], Any]) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work(), self._loop).result()


IDLE: list[Standing] = []


@contextmanager
def served(shop: Shop, now: str, *, is_public: bool = False, **given: Any) -> Iterator[str]:
    """The address it answers on. `is_public`: this is its public URL, which several vendors sign, and not the one
    that is configured.
    """
    standing = IDLE.pop() if IDLE else Standing()
    settings = shop.settings
    if is_public:
        business = settings.business.model_copy(update={"public_url": standing.address})
        settings = settings.model_copy(update={"business": business})
    with standing.being(create_app(shop.database, settings, lambda: at(now), **given)) as address:
        yield address
    IDLE.append(standing)


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.01)
