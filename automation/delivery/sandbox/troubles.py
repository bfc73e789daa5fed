"""The answer of a provider that has a fault."""

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from automation.delivery.sandbox.faults import REDIRECT, SUCCESS, Fault

# What scope["state"] calls the connection itself; server.py puts it there.
CONNECTION = "connection"
PIECE = bytes(65_536)
GZIP = 31  # zlib's word for gzip with the largest window


async def troubled(
    fault: Fault, request: Request, good: Response, error_body: dict[str, Any], seen: Counter[str]
) -> Response:
    """The fault in place of the good answer. `seen` counts the bytes of floods that were let go."""
    if fault.hang:
        await _hang(request, fault.hang)
    if fault.cut:
        return Cut(good if fault.cut == "half" else None)
    if fault.flood:
        return _flood(fault, request.scope["state"][CONNECTION], seen)
    answer = _answer(fault, _garbled(fault, good), error_body)
    return Drip(answer, fault.drip, head=fault.head) if fault.drip else answer


def _answer(fault: Fault, good: Response, error_body: dict[str, Any]) -> Response:
    if fault.answer is None:
        return good
    headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
    if fault.body is not None or fault.answer < REDIRECT:
        return Response(fault.body or "", fault.answer, headers, media_type=fault.type)
    return JSONResponse(error_body, fault.answer, headers)


def _garbled(fault: Fault, good: Response) -> Response:
    """Vendors answer a batch with an array, or with one under `data`."""
    if fault.garble is None:
        return good
    found = json.loads(bytes(good.body))
    items = found["data"] if isinstance(found, dict) else found
    garbled = {"fewer": items[:-1], "more": [*items, items[0]], "turned": [*items[1:], items[0]]}[fault.garble]
    return JSONResponse({**found, "data": garbled} if isinstance(found, dict) else garbled, good.status_code)


def _flood(fault: Fault, connection: asyncio.Transport, seen: Counter[str]) -> Response:
    headers = {"content-encoding": "gzip"} if fault.gzip else {}
    pieces = _counted(_packed(fault.flood) if fault.gzip else _zeros(fault.flood), connection, seen)
    return StreamingResponse(pieces, fault.answer or SUCCESS, headers, media_type="application/json")


async def _counted(
    pieces: AsyncIterator[bytes], connection: asyncio.Transport, seen: Counter[str]
) -> AsyncIterator[bytes]:
    """Until the client hangs up, of which the server does not tell."""
    async for piece in pieces:
        if connection.is_closing():
            return
        seen["flooded"] += len(piece)
        yield piece


async def _zeros(count: int) -> AsyncIterator[bytes]:
    for start in range(0, count, len(PIECE)):
        yield PIECE[: count - start]


async def _packed(count: int) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(wbits=GZIP)
    async for piece in _zeros(count):
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


async def _hang(request: Request, seconds: float) -> None:
    """Until the time is over or the client has gone."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _gone(request.receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Raw(Response):
    """Written past the server, which would not write such an answer."""

    def __init__(self, write: Callable[[asyncio.Transport], Awaitable[None]]) -> None:
        super().__init__()
        self._write = write

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (nothing is sent)
        await self._write(scope["state"][CONNECTION])
        await _gone(receive)


class Cut(Raw):
    """The connection ends here, without an answer or after one half of it."""

    def __init__(self, half_of: Response | None) -> None:
        super().__init__(self._cut)
        self._half_of = half_of

    async def _cut(self, connection: asyncio.Transport) -> None:
        if self._half_of is None:
            connection.abort()
            return
        body = bytes(self._half_of.body)
        connection.write(_head(self._half_of) + body[: len(body) // 2])
        connection.close()


class Drip(Raw):
    """One byte, a pause, the next."""

    def __init__(self, answer: Response, pause: float, *, head: bool) -> None:
        super().__init__(self._drip)
        self._answer, self._pause, self._with_head = answer, pause, head

    async def _drip(self, connection: asyncio.Transport) -> None:
        head, body = _head(self._answer), bytes(self._answer.body)
        at_once, slowly = (b"", head + body) if self._with_head else (head, body)
        connection.write(at_once)
        for byte in slowly:
            if connection.is_closing():
                return
            connection.write(bytes([byte]))
            await asyncio.sleep(self._pause)
        connection.close()


def _head(response: Response) -> bytes:
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return f"HTTP/1.1 {response.status_code} \r\n".encode() + lines + b"\r\n"
