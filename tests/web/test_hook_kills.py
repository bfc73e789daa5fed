"""`serve` is killed while it hears a provider: whatever was answered is not lost, and nothing counts twice."""

import socket

import httpx
import loopback
import pytest
from process import due_now, now, started, until
from shop import Shop

from automation.database.schema import outcomes, suppressions
from automation.faultpoints import HEARING

SECRET = "only a test's secret"


@pytest.fixture
def sent(shop: Shop) -> Shop:
    """One message was taken; what becomes of it is told with a password."""
    due_now(shop, 1)
    assert shop.send(now())["sent"] == 1
    return shop


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def environment(port: int, **variables: str) -> dict[str, str]:
    return {
        "AUTOMATION_SERVE__PORT": str(port),
        "AUTOMATION_PROVIDERS__SANDBOX_EMAIL__WEBHOOK_SECRET": SECRET,
        **variables,
    }


def told(shop: Shop, port: int) -> int | None:
    """The status that a vendor is answered when it tells of a complaint; None: nobody answered."""
    (row,) = shop.rows()
    body = {"RecordType": "SpamComplaint", "MessageID": row.provider_id, "ID": 42, "Email": row.address}
    body["Metadata"] = {"mid": str(row.message_id)}
    url = f"http://127.0.0.1:{port}/hooks/sandbox_email"
    try:
        return loopback.post(url, json=body, auth=("hook", SECRET)).status_code
    except httpx.TransportError:
        return None


def answers(port: int) -> bool:
    try:
        return loopback.get(f"http://127.0.0.1:{port}/pages.css").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("point", HEARING)
def test_a_complaint_counts_once_wherever_serve_is_killed(sent: Shop, point: str) -> None:
    port = free_port()
    with started(sent, "serve", **environment(port, FAULT_POINT=f"{point}=kill@1")) as killed:
        until(lambda: answers(port))
        first = told(sent, port)
        until(lambda: killed.poll() is not None)
    assert point == "hook_taken" or first is None
    with started(sent, "serve", **environment(port)):
        until(lambda: answers(port))
        if first is None:
            assert told(sent, port) == 204, "a vendor that was not answered tells again"
        until(lambda: sent.rows(suppressions))
        assert told(sent, port) == 204
    assert [row.outcome for row in sent.rows(outcomes)] == ["complained"]
    assert [row.reason for row in sent.rows(suppressions)] == ["complained"]
