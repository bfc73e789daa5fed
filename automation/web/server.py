"""The web application as a server; a proxy that ends TLS stands before it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette

from automation.database.engine import Database
from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.settings import Settings
from automation.web.app import create_app

DRAIN = 10  # seconds for calls under way
Clock = Callable[[], datetime]


def serve(database: Database, settings: Settings, clock: Clock, tell: Callable[[str], object]) -> None:
    """Answer until SIGTERM or SIGINT; `tell` is told where. Raises PortTaken."""
    listening = listening_on(settings.serve.host, settings.serve.port)
    tell(f"answering on http://{settings.serve.host}:{settings.serve.port}; Ctrl-C ends it")
    uvicorn.Server(_config(create_app(database, settings, clock))).run([listening])


@contextmanager
def answering(database: Database, settings: Settings, clock: Clock, **given: Any) -> Iterator[Settings]:
    """Answer meanwhile on a free port of this machine. Gives the settings in which that is the public URL."""
    listening = listening_on("127.0.0.1", 0)
    business = settings.business.model_copy(update={"public_url": url_of(listening)})
    public = settings.model_copy(update={"business": business})
    with ServerThread(_config(create_app(database, public, clock, **given)), listening):
        yield public


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
