"""The one door to the network: one request out, one answer or one failure back, never an exception for network trouble.

What matters is whether a byte may have left. httpx's exceptions do not tell (its aiohttp transport reports a connection
that died after the post as a connect timeout), so aiohttp's tracing marks the moment a connection is ready.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from datetime import timedelta
from functools import cache
from types import TracebackType
from typing import Any, Protocol, Self

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from automation.delivery.replies import Answer, Failure
from automation.faultpoints import REGISTRY, reach
from automation.values import duration_text

BODY_LIMIT = 1_000_000
PIECE = 65_536
# Shorter than the 5 seconds after which many servers hang up: a post that meets the hanging up is an unknown one.
KEPT_SECONDS = 4
# Its INFO line shows the URL, and the URL of a look-up shows a phone number.
logging.getLogger("httpx").setLevel(logging.WARNING)

_connected: ContextVar[list[bool]] = ContextVar("connected")


class Line(Protocol):
    """The way to a provider."""

    async def post(self, request: httpx.Request, *, timeout: timedelta) -> Answer | Failure:  # noqa: ASYNC109 (as for `Door.post`)
        """One exchange within `timeout`."""


Doors = Callable[[int], AbstractAsyncContextManager[Line]]  # given how many exchanges at once


class Door:
    """`async with Door(concurrency=32) as door: await door.post(request, timeout=…)`"""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency

    async def __aenter__(self) -> Self:
        trusted = _trusted()
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._concurrency, keepalive_timeout=KEPT_SECONDS, ssl=trusted),
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[_tracing()],
        )
        # The bare transport: cookies, redirects, authentication and the environment are none of its business.
        self._transport = AiohttpTransport(verify=trusted, trust_env=False, client=session)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.aclose()

    async def post(self, request: httpx.Request, *, timeout: timedelta) -> Answer | Failure:  # noqa: ASYNC109 (a total deadline is what callers want)
        """One exchange within `timeout`, the wait for a free connection included. The body is cut at 1 MB."""
        connected = [False]
        _connected.set(connected)
        request = _prepared(request)
        heard: list[httpx.Response] = []
        body = bytearray()
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                complete = await self._exchange(request, heard, body)
        except TimeoutError:
            trouble = f"no answer within {duration_text(timeout)}" if connected[0] else "no connection in time"
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError) as error:
            trouble = f"{'connection lost' if connected[0] else 'no connection'} ({_name(error)})"
        else:
            return _answer(heard[0], body, complete=complete)
        if heard:  # The status is known, and it is what counts: a 2xx whose body broke off was taken.
            return _answer(heard[0], body, complete=False)
        return Failure(before_first_byte=not connected[0], reason=trouble)

    async def _exchange(self, request: httpx.Request, heard: list[httpx.Response], body: bytearray) -> bool:
        response = await self._transport.handle_async_request(request)
        heard.append(response)
        reach("half_heard")
        try:
            async for chunk in response.aiter_raw():
                body += chunk[: BODY_LIMIT - len(body)]
                if len(body) >= BODY_LIMIT:
                    return False
        finally:
            await response.aclose()
        return "content-encoding" not in response.headers or response.headers["content-encoding"] == "identity"


async def reachable(url: str, *, timeout: timedelta) -> str | None:  # noqa: ASYNC109 (as for `post`)
    """What is wrong with the way to the URL's host and port, or None when somebody answers there. Nothing is sent."""
    parts = httpx.URL(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            _, writer = await asyncio.open_connection(parts.host, port)
    except TimeoutError:
        return f"no connection within {duration_text(timeout)}"
    except OSError as error:
        return f"no connection ({_name(error)})"
    writer.close()
    return None


class _Pieces(httpx.AsyncByteStream):
    """A large body in pieces, so that other exchanges get their turn while it is written."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), PIECE):
            yield self._content[start : start + PIECE]


class _Halves(_Pieces):
    """The body in two halves, for whoever wants something to happen between them."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        middle = len(self._content) // 2
        yield self._content[:middle]
        reach("half_sent")
        yield self._content[middle:]
        reach("sent")


def _prepared(request: httpx.Request) -> httpx.Request:
    # An answer that expands to a gigabyte cannot happen: it is neither asked for nor unpacked.
    request.headers["accept-encoding"] = "identity"
    content = request.content
    if len(content) <= PIECE and not REGISTRY:
        return request
    stream = _Halves(content) if REGISTRY else _Pieces(content)
    return httpx.Request(request.method, request.url, headers=request.headers, stream=stream)


def _answer(response: httpx.Response, body: bytearray, *, complete: bool) -> Answer:
    return Answer(response.status_code, dict(response.headers.items()), bytes(body), complete=complete)


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _tracing() -> aiohttp.TraceConfig:
    tracing = aiohttp.TraceConfig()
    tracing.on_connection_create_end.append(_mark)
    tracing.on_connection_reuseconn.append(_mark)
    return tracing


async def _mark(*_: Any) -> None:
    """A connection, TLS included, is ready for this request: from here on a byte may have left."""
    _connected.get()[0] = True
    reach("connected")


def _name(error: Exception) -> str:
    """The innermost kind of trouble; its text could show an address."""
    return type(error.__cause__ or error).__name__
