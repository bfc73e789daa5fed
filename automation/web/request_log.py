"""One line of the log for each page of the console: which, for how long, with which answer. It has the page's pattern,
never its address: a link may be a key, and a query the address of a customer.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
NOWHERE = "nowhere"


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        started, status = time.monotonic(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            milliseconds = round((time.monotonic() - started) * 1000)
            told = {"method": scope["method"], "page": _pattern(scope), "status": status, "milliseconds": milliseconds}
            log.info("page", extra=told)


def _pattern(scope: Mapping[str, Any]) -> str:
    """Such as `/messages/{message_id}`; of what leads to no page nothing is told."""
    found: str = getattr(scope.get("route"), "path", NOWHERE)
    return found
