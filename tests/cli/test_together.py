"""The worker and the web application in one process: they begin together and end together."""

import contextlib
import json
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator

import httpx
import loopback
import pytest
from process import due_now, logged, now, started, until
from shop import Shop, at, playbook
from starlette.applications import Starlette

from automation.cli.together import end_together
from automation.database.work import workers
from automation.delivery.sandbox.server import listening_on
from automation.web.server import Serving
from automation.worker.scheduler import Worker


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def answers(port: int, path: str = "/readyz") -> int | None:
    try:
        return loopback.get(f"http://127.0.0.1:{port}{path}").status_code
    except httpx.TransportError:
        return None


def test_one_process_sends_what_is_due_answers_and_drains(shop: Shop) -> None:
    due_now(shop, 3)
    port = free_port()
    with started(shop, "run", "--serve", "--json-logs", AUTOMATION_SERVE__PORT=str(port)) as process:
        until(lambda: answers(port) == 200)
        until(lambda: len(shop.log()) == 3)
        until(lambda: all(row.status == "sent" for row in shop.rows()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert answers(port) is None
    assert shop.rows(workers)[0].stopped_at is not None
    lines = [json.loads(line) for line in logged(shop).splitlines()]
    assert {"worker started", "worker drained"} <= {one["event"] for one in lines}
    assert any(str(port) in one["event"] for one in lines)


def test_a_call_under_way_is_answered_before_the_process_ends(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.evaluate(now())
    port = free_port()
    with started(shop, "run", "--serve", AUTOMATION_SERVE__PORT=str(port)) as process:
        until(lambda: answers(port) == 200)
        with socket.create_connection(("127.0.0.1", port)) as call:
            call.sendall(b"POST /hooks/nobody HTTP/1.1\r\nhost: here\r\ncontent-length: 4\r\n\r\nab")
            time.sleep(0.3)
            process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            call.sendall(b"cd")
            heard = call.recv(1000)
        assert process.wait(20) == 0
    assert heard.startswith(b"HTTP/1.1 404")


def test_a_port_that_is_taken_is_told_before_anything_is_done(shop: Shop) -> None:
    due_now(shop, 1)
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        started(shop, "run", "--serve", AUTOMATION_SERVE__PORT=str(other.getsockname()[1])) as process,
    ):
        assert process.wait(20) == 1
    assert "The port is in use" in logged(shop)
    assert shop.rows(workers) == []
    assert shop.log() == []


def test_a_second_worker_that_is_refused_leaves_no_web_application_behind(shop: Shop) -> None:
    if not shop.database.is_sqlite:
        pytest.skip("on PostgreSQL several may work")
    shop.write(care=playbook(active=False))
    port = free_port()
    with started(shop, "run"):
        until(lambda: shop.rows(workers))
        with started(shop, "run", "--serve", AUTOMATION_SERVE__PORT=str(port)) as second:
            assert second.wait(20) == 2
    assert "Another worker runs" in logged(shop)
    assert answers(port) is None


@contextlib.asynccontextmanager
async def broken(_: Starlette) -> AsyncIterator[None]:
    raise RuntimeError
    yield


def test_a_web_application_that_cannot_go_on_ends_the_worker(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    worker = Worker(shop.database, shop.settings, lambda: at(now()))
    web = Serving(Starlette(lifespan=broken), listening_on("127.0.0.1", 0))
    web.start()
    watching = threading.Thread(target=end_together, args=(worker, web), daemon=True)
    watching.start()
    watching.join(10)
    assert worker.stopping.is_set()
    assert web.failed


def test_a_web_application_that_was_stopped_has_not_failed(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    worker = Worker(shop.database, shop.settings, lambda: at(now()))
    web = Serving(Starlette(), listening_on("127.0.0.1", 0))
    web.start()
    worker.stop()
    end_together(worker, web)
    web.join(10)
    assert not web.is_alive()
    assert not web.failed
