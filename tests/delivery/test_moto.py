"""Our calls to SES, taken by moto's server, which others wrote from Amazon's documents."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import loopback
import pytest
from calling import MAIL, account, posted, request_of

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Signs
from automation.delivery.replies import Accepted, Answer, Refused, Reply

REGION, ACCOUNT = "us-east-1", "123456789012"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Its address."""
    pytest.importorskip("flask_cors", reason="what moto's server needs is not installed")
    servers = pytest.importorskip("moto.moto_server.threaded_moto_server", reason="moto is not installed")
    server = servers.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def empty(moto: str) -> str:
    loopback.post(f"{moto}/moto-api/reset").raise_for_status()
    return moto


def verify(url: str, identity: str) -> None:
    """The owner of an address or of a domain says that it is theirs."""
    ses = ADAPTERS["ses"]
    assert isinstance(ses, Signs)
    request = httpx.Request("POST", f"{url}/v2/email/identities", json={"EmailIdentity": identity})
    heard = posted(ses.signed(request, account("ses", url), datetime.now(UTC)))
    assert isinstance(heard, Answer)
    assert heard.status == 200


def send(url: str, message: Outgoing) -> Reply:
    heard = posted(request_of("ses", url, [message]))
    assert isinstance(heard, Answer)
    if heard.status == 200:  # moto calls its JSON something else, unlike Amazon
        heard = replace(heard, headers={**heard.headers, "content-type": "application/json"})
    (reply,) = ADAPTERS["ses"].replies(heard, [message], datetime.now(UTC))
    return reply


def sent() -> list[Any]:
    """moto runs in a thread of this process."""
    from moto.ses.models import ses_backends  # noqa: PLC0415 (it may be missing)

    return list(ses_backends[ACCOUNT][REGION].sent_messages)


@pytest.mark.parametrize("identity", ["hello@example.com", "example.com"])
def test_a_mail_is_taken_with_its_parts(empty: str, identity: str) -> None:
    verify(empty, identity)
    reply = send(empty, MAIL)
    (one,) = sent()
    assert reply == Accepted(one.id, http_status=200)
    assert (one.source, one.subject, one.destinations["ToAddresses"]) == (MAIL.sender, MAIL.subject, [MAIL.recipient])


def test_a_sender_that_nobody_has_verified_is_the_accounts_trouble(empty: str) -> None:
    reply = send(empty, replace(MAIL, sender="Shop <hello@another.example>"))
    assert isinstance(reply, Refused)
    assert (reply.reason, reply.scope) == ("sender_not_verified", "account")
    assert sent() == []


@pytest.mark.parametrize(
    "change", [{"html": ""}, {"text": ""}, {"headers": {}}, {"sender": "Café <hello@example.com>"}]
)
def test_what_is_left_out_or_beyond_ascii_is_taken_too(empty: str, change: dict[str, Any]) -> None:
    verify(empty, "example.com")
    assert isinstance(send(empty, replace(MAIL, **change)), Accepted)
