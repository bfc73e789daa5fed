"""The web application as a server; a proxy that ends TLS stands before it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette

from automation.database.engine import Database
from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.settings import Settings
from automation.web.app import create_app

DRAIN = 10  # seconds for calls under way
PATIENCE = 5  # further ones, to come to an end
Clock = Callable[[], datetime]


def serve(database: Database, settings: Settings, clock: Clock, tell: Callable[[str], object]) -> None:
    """Answer until SIGTERM or SIGINT; `tell` is told where. Raises PortTaken, BadInput."""
    app = create_app(database, settings, clock)
    listening = listening_on(settings.serve.host, settings.serve.port)
    tell(f"answering on http://{settings.serve.host}:{settings.serve.port}; Ctrl-C ends it")
    uvicorn.Server(_config(app)).run([listening])


@contextmanager
def answering(database: Database, settings: Settings, clock: Clock, **given: Any) -> Iterator[Settings]:
    """Answer meanwhile on a free port of this machine. Gives the settings in which that is the public URL."""
    listening = listening_on("127.0.0.1", 0)
    business = settings.business.model_copy(update={"public_url": url_of(listening)})
    public = settings.model_copy(update={"business": business})
    with ServerThread(_config(create_app(database, public, clock, **given)), listening):
        yield public


@contextmanager
def serving(database: Database, settings: Settings, clock: Clock, tell: Callable[[str], object]) -> Iterator["Serving"]:
    """Answer meanwhile, beside other work of this process. Raises PortTaken before anything has begun."""
    app = create_app(database, settings, clock)
    listening = listening_on(settings.serve.host, settings.serve.port)
    tell(f"answering on http://{settings.serve.host}:{settings.serve.port}; Ctrl-C ends it")
    web = Serving(app, listening)
    web.start()
    try:
        yield web
    finally:
        web.stop()
        web.join(DRAIN + PATIENCE)


class Serving(threading.Thread):
    """The web application in a thread of its own, until it is stopped or cannot go on."""

    def __init__(self, app: Starlette, listening: socket.socket) -> None:
        super().__init__(name="web", daemon=True)
        self._server, self._listening = uvicorn.Server(_config(app)), listening
        self._stopped = False

    def run(self) -> None:
        with self._listening, suppress(SystemExit):  # so it says that it cannot start; the log says why
            self._server.run([self._listening])

    def stop(self) -> None:
        """Calls under way are answered, new ones are not."""
        self._stopped = self._stopped or self.is_alive()
        self._server.should_exit = True

    @property
    def failed(self) -> bool:
        """Whether it ended though nobody had stopped it."""
        return not (self._stopped or self.is_alive())


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # an address has a token in it
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
    )
