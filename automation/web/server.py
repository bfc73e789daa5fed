"""The web application as a server; a proxy that ends TLS stands before it."""

from collections.abc import Callable
from datetime import datetime

import uvicorn

from automation.database.engine import Database
from automation.delivery.sandbox.server import listening_on
from automation.settings import Settings
from automation.web.app import create_app

DRAIN = 10  # seconds for calls under way


def serve(database: Database, settings: Settings, clock: Callable[[], datetime], tell: Callable[[str], object]) -> None:
    """Answer until SIGTERM or SIGINT; `tell` is told where. Raises PortTaken."""
    listening = listening_on(settings.serve.host, settings.serve.port)
    tell(f"answering on http://{settings.serve.host}:{settings.serve.port}; Ctrl-C ends it")
    config = uvicorn.Config(
        create_app(database, settings, clock),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # an address has a token in it
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN,
    )
    uvicorn.Server(config).run([listening])
