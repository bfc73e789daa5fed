"""What stands before every page of the console: which requests come in at all, and the headers that go out.

A form is taken only when the browser says that one of our own pages sent it (`Sec-Fetch-Site`, else `Origin`): a page
of somebody else cannot make a signed-in person do anything, and no form needs a token.
"""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
LARGEST = 100_000  # bytes of a form
READS = frozenset({"GET", "HEAD", "OPTIONS"})
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
    "x-robots-tag": "noindex",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Guard:
    """`public`: where the console is reached from outside, when a proxy stands before it. What a page says itself about
    these headers stays.
    """

    def __init__(self, app: ASGIApp, public: str) -> None:
        self._app, self._public = app, _origin(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers, begun = Headers(scope=scope), False

        async def answer(message: Message) -> None:
            nonlocal begun
            begun = True
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given.setdefault(name, value)
            await send(message)

        refused = self._refused(scope["method"], headers)
        try:
            await (refused or self._app)(scope, receive, answer)
        except Exception:
            log.exception("a page could not be shown")  # it says so itself, unless nothing was sent yet
            if not begun:
                await PlainTextResponse("something went wrong; try again", 500)(scope, receive, answer)

    def _refused(self, method: str, headers: Mapping[str, str]) -> PlainTextResponse | None:
        if method in READS:
            return None
        if not self._is_ours(headers):
            return PlainTextResponse("this form was sent from somewhere else; open the console and try again", 403)
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return PlainTextResponse("the form does not say how long it is", 411)
        if int(length) > LARGEST:
            return PlainTextResponse("that is too much for one form", 413)
        return None

    def _is_ours(self, headers: Mapping[str, str]) -> bool:
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None:
            return site == "same-origin"
        if origin is None:
            return False
        return origin.lower() == self._public or urlsplit(origin).netloc == headers.get("host")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
