"""Troubles the sandbox makes on request, first in, first out."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

# What scope["state"] calls the connection itself; server.py puts it there.
CONNECTION = "connection"
OneLine = Annotated[str, StringConstraints(pattern=r"^[ -~]*$", max_length=200)]
REDIRECT = 300


class Fault(BaseModel):
    """One kind of trouble for the next `times` requests to send.

    `answer`: this status, with the vendor's own error body or, given `body`, that text as HTML; a 2xx is empty.
    `hang`: seconds before the answer. `cut`: the connection ends without an answer, before the messages are taken or
    after, or half-way through a good answer. `taken` overrides whether the messages are kept; by default they are,
    unless the answer is no 2xx or the cut comes before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["postmark", "resend", "twilio"] | None = None
    answer: Annotated[int, Field(ge=200, le=599)] | None = None
    retry_after: OneLine | None = None
    body: str | None = None
    hang: Annotated[float, Field(ge=0, le=600)] = 0
    cut: Literal["before", "half", "after"] | None = None
    taken: bool | None = None
    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _one_trouble(self) -> "Fault":
        if self.answer and self.cut:
            raise ValueError("choose either an answer or a cut")
        if not (self.answer or self.cut or self.hang):
            raise ValueError("give an answer, a cut or a hang")
        return self

    @property
    def takes(self) -> bool:
        if self.taken is not None:
            return self.taken
        return self.cut != "before" and (self.answer is None or self.answer < REDIRECT)


class Faults:
    """The queue. A fault for one kind of provider waits until that one is asked."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        self._queue.append(fault)

    def clear(self) -> None:
        self._queue.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [fault.model_dump(exclude_none=True) for fault in self._queue]

    def next(self, kind: str) -> Fault | None:
        for place, fault in enumerate(self._queue):
            if fault.kind in {None, kind}:
                if fault.times > 1:
                    self._queue[place] = fault.model_copy(update={"times": fault.times - 1})
                else:
                    del self._queue[place]
                return fault
        return None


async def troubled(fault: Fault, request: Request, good: Response, error_body: dict[str, Any]) -> Response:
    """The fault in place of the good answer."""
    if fault.hang:
        await _hang(request, fault.hang)
    if fault.cut:
        return Cut(good if fault.cut == "half" else None)
    if fault.answer is None:
        return good
    headers = {} if fault.retry_after is None else {"retry-after": fault.retry_after}
    if fault.body is not None or fault.answer < REDIRECT:
        return Response(fault.body or "", fault.answer, headers, media_type="text/html")
    return JSONResponse(error_body, fault.answer, headers)


async def _hang(request: Request, seconds: float) -> None:
    """Until the time is over or the client has gone."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _gone(request.receive)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Cut(Response):
    """The connection ends here, without an answer or after one half of it."""

    def __init__(self, half_of: Response | None) -> None:
        super().__init__()
        self._half_of = half_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (nothing is sent)
        connection: asyncio.Transport = scope["state"][CONNECTION]
        if self._half_of is None:
            connection.abort()
        else:
            connection.write(_half(self._half_of))
            connection.close()
        await _gone(receive)


def _half(response: Response) -> bytes:
    head = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    body = bytes(response.body)
    return f"HTTP/1.1 {response.status_code} \r\n".encode() + head + b"\r\n" + body[: len(body) // 2]
