import asyncio
import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from automation.delivery.http import BODY_LIMIT, Door
from automation.delivery.providers import classify
from automation.delivery.replies import Answer, Failure, Later, Unknown

SECOND = timedelta(seconds=1)


def post(url: str, content: bytes = b"{}", timeout: timedelta = SECOND) -> Answer | Failure:
    async def once() -> Answer | Failure:
        async with Door(concurrency=4) as door:
            return await door.post(httpx.Request("POST", url, content=content), timeout=timeout)

    return asyncio.run(once())


@contextmanager
def speaking(*pieces: bytes, pause: float = 0, reads: bool = True) -> Iterator[str]:
    """A server of one connection that says these bytes, whatever it is asked, and hangs up."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_speak, args=(listening, pieces, pause, reads, stop))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        stop.set()
        thread.join()


def _speak(
    listening: socket.socket, pieces: tuple[bytes, ...], pause: float, reads: bool, stop: threading.Event
) -> None:
    connection, _ = listening.accept()
    with connection:
        if reads:
            connection.recv(65_536)
        for piece in pieces:
            try:
                connection.sendall(piece)
            except OSError:
                return
            if stop.wait(pause):
                return


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def test_an_answer_comes_back_with_status_headers_and_body(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/", method="POST", data=b"hello").respond_with_data(
        b"ok", 202, {"X-Thing": "1"}, content_type="text/plain"
    )
    answer = post(httpserver.url_for("/"), b"hello")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.headers["x-thing"], answer.complete) == (202, b"ok", "1", True)


def test_a_body_of_five_megabytes_arrives_whole_with_its_length(httpserver: HTTPServer) -> None:
    def measure(request: Request) -> Response:
        return Response(f"{len(request.get_data())} {request.headers['Content-Length']}")

    httpserver.expect_request("/").respond_with_handler(measure)
    answer = post(httpserver.url_for("/"), b"x" * 5_000_000, timeout=10 * SECOND)
    assert isinstance(answer, Answer)
    assert answer.body == b"5000000 5000000"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://nowhere.invalid/", "https://127.0.0.1:{port}/"])
def test_without_a_connection_no_byte_was_written(url: str) -> None:
    failure = post(url.format(port=unused_port()))
    assert isinstance(failure, Failure)
    assert failure.before_first_byte
    assert classify.from_failure(failure) == Later(None, failure.reason, throttled=False)


def test_a_failed_tls_handshake_wrote_nothing() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\n\r\n") as url:
        failure = post(url.replace("http:", "https:"))
    assert isinstance(failure, Failure)
    assert failure.before_first_byte


def test_a_url_that_cannot_be_called_is_a_failure_and_no_exception() -> None:
    failure = post("ftp://127.0.0.1/")
    assert isinstance(failure, Failure)
    assert failure.before_first_byte


def test_a_connection_that_dies_after_the_post_is_ambiguous() -> None:
    with speaking() as url:
        failure = post(url)
    assert isinstance(failure, Failure)
    assert not failure.before_first_byte
    assert classify.from_failure(failure) == Unknown(failure.reason)


def test_a_timeout_after_the_post_is_ambiguous_and_tells_no_address() -> None:
    with speaking(b"", pause=30) as url:
        failure = post(url + "?To=%2B393331234567", timeout=SECOND / 5)
    assert isinstance(failure, Failure)
    assert not failure.before_first_byte
    assert "39333" not in failure.reason


def test_a_kept_connection_that_dies_on_its_second_use_is_ambiguous() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    async def twice(url: str) -> tuple[Answer | Failure, Answer | Failure]:
        async with Door(concurrency=1) as door:
            return (
                await door.post(httpx.Request("POST", url, content=b"1"), timeout=SECOND),
                await door.post(httpx.Request("POST", url, content=b"2"), timeout=SECOND),
            )

    # The server reads the first request, answers, and hangs up once the second is on its way.
    with speaking(ok, b"", pause=0.2) as url:
        first, second = asyncio.run(twice(url))
    assert isinstance(first, Answer)
    assert isinstance(second, Failure)
    assert not second.before_first_byte


def test_garbage_instead_of_http_is_ambiguous() -> None:
    with speaking(b"SSH-2.0-OpenSSH\r\n\r\n") as url:
        failure = post(url)
    assert isinstance(failure, Failure)
    assert not failure.before_first_byte


def test_the_wait_for_a_free_connection_counts_and_wrote_nothing() -> None:
    async def crowd(url: str) -> list[Answer | Failure]:
        async with Door(concurrency=1) as door:
            request = httpx.Request("POST", url, content=b"")
            first = asyncio.create_task(door.post(request, timeout=SECOND))
            await asyncio.sleep(0.1)
            second = await door.post(request, timeout=SECOND / 10)
            return [await first, second]

    with speaking(b"", pause=30) as url:
        first, second = asyncio.run(crowd(url))
    assert isinstance(first, Failure)
    assert isinstance(second, Failure)
    assert (first.before_first_byte, second.before_first_byte) == (False, True)


def test_a_success_whose_body_breaks_off_keeps_its_status() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf") as url:
        answer = post(url)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.complete) == (200, b"half", False)


def test_one_byte_a_second_ends_at_the_deadline_with_its_status() -> None:
    with speaking(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 100, pause=0.05) as url:
        answer = post(url, timeout=SECOND / 2)
    assert isinstance(answer, Answer)
    assert (answer.status, answer.complete) == (200, False)


def test_an_endless_body_is_cut_at_the_cap() -> None:
    endless = [b"HTTP/1.1 500 Oops\r\n\r\n", *[b"x" * 100_000] * 1000]
    with speaking(*endless) as url:
        answer = post(url, timeout=10 * SECOND)
    assert isinstance(answer, Answer)
    assert (answer.status, len(answer.body), answer.complete) == (500, BODY_LIMIT, False)


def test_a_gzip_bomb_is_never_unpacked(httpserver: HTTPServer) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    seen: list[str] = []

    def explode(request: Request) -> Response:
        seen.append(request.headers["Accept-Encoding"])
        return Response(bomb, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})

    httpserver.expect_request("/").respond_with_handler(explode)
    answer = post(httpserver.url_for("/"))
    assert isinstance(answer, Answer)
    assert seen == ["identity"]
    assert (answer.body, answer.complete) == (bomb, False)


def test_a_redirect_is_not_followed_and_no_proxy_is_asked(
    httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port()}")
    httpserver.expect_oneshot_request("/").respond_with_data(b"", 307, {"Location": httpserver.url_for("/other")})
    answer = post(httpserver.url_for("/"))
    assert isinstance(answer, Answer)
    assert answer.status == 307
    assert len(httpserver.log) == 1
