"""The web application on this machine, over real HTTP, at a time that stands still."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from shop import Shop, at

from automation.delivery.sandbox.server import ServerThread, listening_on, url_of
from automation.web.app import create_app


@contextmanager
def served(shop: Shop, now: str, *, is_public: bool = False, **given: Any) -> Iterator[str]:
    """The address it answers on. `is_public`: this is its public URL, which several vendors sign, and not the one
    that is configured.
    """
    listening = listening_on("127.0.0.1", 0)
    address = url_of(listening)
    settings = shop.settings
    if is_public:
        business = settings.business.model_copy(update={"public_url": address})
        settings = settings.model_copy(update={"business": business})
    app = create_app(shop.database, settings, lambda: at(now), **given)
    with ServerThread(uvicorn.Config(app, log_config=None, lifespan="on"), listening):
        yield address


def until(happened: Callable[[], object], seconds: float = 60) -> None:
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, "it did not happen in time"
        time.sleep(0.01)
