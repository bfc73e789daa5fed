"""The sandbox as a server on this machine only."""

import asyncio
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from automation.delivery.sandbox.app import create_app, real_time
from automation.delivery.sandbox.telling import Ear
from automation.delivery.sandbox.troubles import CONNECTION
from automation.errors import BadInput, PortTaken
from automation.settings import LOOPBACK

DEFAULT_PORT = 8025
SHUTDOWN_SECONDS = 2


class ServerThread:
    """A server in a thread of its own, from the beginning of `with` to its end."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket) -> None:
        self._socket = listening
        self._started = threading.Event()
        self._server = _Server(config, self._started)
        self._thread = threading.Thread(target=self._server.run, args=([listening],), daemon=True)

    @property
    def url(self) -> str:
        return url_of(self._socket)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.end()
        self._thread.join()


class SandboxServer:
    """`with SandboxServer() as sandbox: …sandbox.url…`; port 0 takes a free one; the rest is as for `create_app`, and
    `ears` may still change. Raises PortTaken, BadInput.
    """

    def __init__(
        self,
        port: int = 0,
        keep: Path | None = None,
        ears: Mapping[str, Ear] | None = None,
        pace: float = 1,
        clock: Callable[[], datetime] = real_time,
    ) -> None:
        self._port = port
        self._app = partial(create_app, keep, ears, pace, clock)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            listening = stack.enter_context(listening_on("127.0.0.1", self._port))
            self.url = stack.enter_context(ServerThread(_config(self._app()), listening)).url
            self._end = stack.pop_all().close
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    keep: Path | None = None,
    ears: Mapping[str, Ear] | None = None,
    pace: float = 1,
) -> None:
    """Serve until interrupted. Raises BadInput for a host that others can reach, PortTaken."""
    if host not in LOOPBACK:
        raise BadInput(
            f"The sandbox shows every message to whoever asks, so it cannot listen on {host}; use 127.0.0.1."
        )
    listening = listening_on(host, port)
    try:
        app = create_app(keep, ears, pace)
    except BadInput:
        listening.close()
        raise
    uvicorn.Server(_config(app)).run([listening])


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._announced = started
        self._ticking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._announced.set()

    async def main_loop(self) -> None:
        self._ticking = asyncio.create_task(super().main_loop())
        with suppress(asyncio.CancelledError):
            await self._ticking

    def end(self) -> None:
        """From another thread; noticed at once, where uvicorn itself looks ten times a second."""
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._ticking is not None:
            self._ticking.cancel()


class _Protocol(H11Protocol):
    """Shows each request its own connection, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn narrows it too
        super().connection_made(transport)
        self.app_state = {**self.app_state, CONNECTION: transport}


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def listening_on(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise PortTaken from error
    listening.listen(2048)
    return listening


def url_of(listening: socket.socket) -> str:
    host, port, *_ = listening.getsockname()
    return f"http://{host}:{port}"
