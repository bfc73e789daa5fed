"""Whatever anybody sends to a public address is answered, and never with an error of ours."""

import socket
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from serving import served
from shop import Shop, playbook, step

from automation.database.schema import consents
from automation.delivery.desk import open_desk

DAY1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T12:00:00Z"
SOON = 0.2  # seconds
TOKEN_CHARACTERS = b"!#$%&'*+-.^_`|~0123456789abcXYZ"
METHODS = st.sampled_from([b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE"]) | st.binary(max_size=9)
FOLDERS = st.sampled_from(
    [b"/p/", b"/u/", b"/s/", b"/s/x/", b"/hooks/", b"/hooks/sandbox_email", b"/pages.css", b"/", b"", b"//p/"]
)
RAW = st.binary(max_size=40).map(lambda one: bytes(byte for byte in one if byte > 32))
ESCAPED = st.binary(max_size=40).map(lambda one: quote(one, safe="").encode())
NAMES = st.sampled_from(
    [b"content-type", b"content-length", b"transfer-encoding", b"host", b"cookie", b"origin", b"referer", b"expect"]
) | st.text(TOKEN_CHARACTERS.decode(), max_size=9).map(str.encode)
VALUES = st.sampled_from([b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"chunked", b"-1"])
HEADERS = st.lists(st.tuples(NAMES, VALUES | st.binary(max_size=20)), max_size=4)
FIELDS = st.sampled_from(
    [b"was=email%3A*", b"now=email%3Aoffers", b"now=sms", b"now=%FF%00", b"=", b"&;", b"was", b"now=email:\xff"]
)
BODIES = st.binary(max_size=100) | st.lists(FIELDS, max_size=5).map(b"&".join)


@pytest.fixture
def planned(shop: Shop) -> Shop:
    shop.write(care=playbook(step("one", late_by="3 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    return shop


@pytest.fixture
def address(planned: Shop) -> Iterator[str]:
    with served(planned, LATER) as found:
        yield found


def status(address: str, request: bytes, patience: float = 20) -> int | None:
    """What is answered; None when whoever answers waits for more than is sent, or hangs up."""
    parts = urlsplit(address)
    assert parts.hostname
    assert parts.port
    with socket.create_connection((parts.hostname, parts.port), timeout=patience) as line:
        line.sendall(request)
        try:
            answer = line.recv(4096)
        except (TimeoutError, ConnectionResetError):
            return None
    return int(answer.split()[1]) if answer else None


def written(method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: shop.example", *(b"%s: %s" % one for one in headers)]
    if not any(name in {b"content-length", b"transfer-encoding"} for name, _ in headers):
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def token(shop: Shop) -> bytes:
    with shop.database.reading() as connection:
        url = open_desk(connection, shop.settings, shop.book).links(shop.rows()[0].message_id).preferences
    return url.rpartition("/")[2].encode()


def test_any_request_is_answered(planned: Shop, address: str) -> None:
    good = token(planned)
    places = st.builds(bytes.__add__, FOLDERS, RAW | ESCAPED | st.just(good) | st.just(good + b"?saved=%FF&saved"))

    @given(METHODS, places, HEADERS, BODIES)
    @example(b"GET", b"/p/%00", [], b"")
    @example(b"GET", b"/p/" + b"A" * 60_000, [], b"")
    @example(b"POST", b"/p/" + good, [(b"content-type", b"text/plain; charset=\xff")], b"now=%ED%A0%80")
    @example(b"POST", b"/p/" + good, [(b"transfer-encoding", b"chunked")], b"5\r\nnow=a\r\n")
    @example(b"POST", b"/u/" + good, [(b"content-length", b"99")], b"short")
    @settings(deadline=None, derandomize=True, max_examples=250, suppress_health_check=list(HealthCheck))
    def answers(method: bytes, path: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        found = status(address, written(method, path, headers, body), SOON)
        assert found is None or found < 500
        heard.append(found)

    heard: list[int | None] = []
    answers()
    assert {200, 303, 400, 404, 405} <= set(heard)
    assert status(address, written(b"GET", b"/p/" + good, [], b"")) == 200
    assert {row.customer_id for row in planned.rows(consents) if not row.granted} <= {planned.rows()[0].customer_id}


def test_any_bytes_that_are_no_request_are_answered(planned: Shop, address: str) -> None:
    @given(st.binary(max_size=200))
    @settings(deadline=None, derandomize=True, max_examples=25, suppress_health_check=list(HealthCheck))
    def answers(sent: bytes) -> None:
        assert status(address, sent + b"\r\n\r\n", SOON) in {None, 400, 404}

    answers()
    assert planned.rows(consents)
