"""A provider that takes everything and does nothing else: `python sink.py` prints its port and serves until killed.

Postmark's calls are answered message by message, Twilio's with one id. No framework, so that it is never what is slow.
"""

import asyncio
import re
from itertools import count

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
ONE_OF_A_BATCH = b'"MessageStream":'
NUMBERS = count(1)


class Sink(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._waiting = bytearray()

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._waiting[:end])
            found = LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._waiting) < size:
                return
            body = bytes(self._waiting[end + 4 : size])
            del self._waiting[:size]
            self._transport.write(_answer(head.split(b" ", 2)[1], body))


def _answer(path: bytes, body: bytes) -> bytes:
    if path.endswith(b"/email/batch"):
        status, answer = b"200 OK", b"[" + b",".join(_taken() for _ in range(body.count(ONE_OF_A_BATCH))) + b"]"
    elif path.endswith(b"/email"):
        status, answer = b"200 OK", _taken()
    else:
        status, answer = b"201 Created", b'{"sid": "SM%032x", "status": "queued"}' % next(NUMBERS)
    return b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
        status,
        len(answer),
        answer,
    )


def _taken() -> bytes:
    return b'{"ErrorCode": 0, "Message": "OK", "MessageID": "%032x"}' % next(NUMBERS)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
