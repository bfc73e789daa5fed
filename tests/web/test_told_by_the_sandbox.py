"""A day from the post to what became of it: the sandbox is each vendor in turn, and tells what happened."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import loopback
import pytest
from process import logged, started
from serving import served, until
from shop import Shop, playbook

from automation.database.engine import Database, connect
from automation.database.hooks import hook_calls
from automation.database.schema import outcomes, suppressions
from automation.delivery.outcomes.at_home import key_of
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.server import listening_on
from automation.delivery.sandbox.telling import Ear
from automation.delivery.verify import verify

KINDS = ("brevo", "mailgun", "mailjet", "postmark", "resend", "sendgrid", "ses")
PEOPLE = {
    "deliver": {"delivered"},
    "click": {"delivered", "opened", "clicked"},
    "complain": {"delivered", "complained"},
    "unsubscribe": {"delivered", "opened", "unsubscribed"},
    "bounce": {"bounced_hard"},
    "softbounce": {"bounced_soft"},
    "fail": {"failed"},
    "silent": set(),
}
# Resend does not know of anybody who unsubscribes.
UNTOLD = {"resend": {"unsubscribed"}}
QUICK, UNHURRIED = 0.0001, 0.02  # the other one is not given up within minutes
NOBODY = Ear("http://127.0.0.1:9/hooks/sandbox_email", secret="any")


@pytest.fixture
def ears() -> dict[str, Ear]:
    return {}


@pytest.fixture
def sandbox(ears: dict[str, Ear]) -> Iterator[SandboxServer]:
    """One of this test's own, that tells at once."""
    with SandboxServer(ears=ears, pace=QUICK) as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, database: Database, sandbox: SandboxServer) -> Shop:
    return Shop(tmp_path, database, sandbox.url)


def listening(shop: Shop, address: str) -> Ear:
    key = key_of(shop.settings, "sandbox_email")
    return Ear(f"{address}/hooks/sandbox_email", key.token, key.secret)


def a_day(shop: Shop, noon: datetime, *people: str) -> None:
    shop.write(care=playbook())
    shop.customers(*people, now=str(noon - timedelta(days=30)))
    shop.evaluate(str(noon - timedelta(hours=6)))
    shop.send(str(noon))


def told(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = loopback.get(f"{shop.url}/api/told").json()["told"]
    return found


def everything_is_told(shop: Shop) -> bool:
    is_told = all(one["due"] is None for one in told(shop))
    return is_told and all(row.processed_at for row in shop.rows(hook_calls))


def became(shop: Shop) -> dict[str, set[str]]:
    customer = {row.message_id: row.customer_id for row in shop.rows()}
    found: dict[str, set[str]] = {one: set() for one in customer.values()}
    for row in shop.rows(outcomes):
        found[customer[row.message_id]].add(row.outcome)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_became_of_each_message_is_in_the_tables(
    tmp_path: Path, sqlite_url: str, sandbox: SandboxServer, ears: dict[str, Ear], kind: str
) -> None:
    now, shop = datetime.now(UTC), Shop(tmp_path, connect(sqlite_url), sandbox.url, kind=kind)
    shop.write()
    with served(shop, str(now)) as address:
        ears[kind] = listening(shop, address)
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), *PEOPLE)
        until(lambda: everything_is_told(shop))
    untold = UNTOLD.get(kind, set())
    assert became(shop) == {one: expected - untold for one, expected in PEOPLE.items()}
    assert {row.address.partition("@")[0] for row in shop.rows(suppressions)} >= {"bounce", "complain"}
    assert {row.problem for row in shop.rows(hook_calls)} == {None}
    assert verify(shop.database, shop.settings).ok
    shop.database.close()


def test_what_is_told_while_nobody_listens_is_told_again(shop: Shop) -> None:
    now, ears = datetime.now(UTC), {"postmark": NOBODY}
    with SandboxServer(ears=ears, pace=UNHURRIED) as sandbox:
        shop.url = sandbox.url
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), "bounce")
        until(lambda: told(shop)[0]["tries"] > 1)
        with served(shop, str(now)) as address:
            ears["postmark"] = listening(shop, address)
            until(lambda: everything_is_told(shop))
        heard = told(shop)
    assert became(shop) == {"bounce": {"bounced_hard"}}
    assert [(one["answer"], one["due"]) for one in heard] == [("204", None)]


def test_what_is_not_believed_is_given_up_in_the_end(shop: Shop, ears: dict[str, Ear]) -> None:
    now = datetime.now(UTC)
    shop.write()
    with served(shop, str(now)) as address:
        ears["postmark"] = replace(listening(shop, address), secret="another")
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), "bounce")
        until(lambda: everything_is_told(shop))
    assert [one["answer"] for one in told(shop)] == ["given up: 401"]
    assert became(shop) == {"bounce": set()}


def test_a_restarted_sandbox_goes_on_where_it_was(tmp_path: Path, shop: Shop) -> None:
    keep, now = tmp_path / "mailbox.db", datetime.now(UTC)
    with SandboxServer(keep=keep, ears={"postmark": NOBODY}, pace=UNHURRIED) as sandbox:
        shop.url = sandbox.url
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), "bounce")
    with (
        served(shop, str(now)) as address,
        SandboxServer(keep=keep, ears={"postmark": listening(shop, address)}, pace=UNHURRIED) as sandbox,
    ):
        shop.url = sandbox.url
        until(lambda: everything_is_told(shop))
    assert became(shop) == {"bounce": {"bounced_hard"}}


def test_something_may_be_told_by_hand(shop: Shop, ears: dict[str, Ear]) -> None:
    now = datetime.now(UTC)
    shop.write()
    with served(shop, str(now)) as address:
        ears["postmark"] = listening(shop, address)
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), "silent")
        (one,) = shop.log()
        page = f"{shop.url}/messages/{one['id']}"
        post = partial(loopback.post, f"{page}/tell")
        assert post(data={"outcome": "complained"}, headers={"origin": "https://evil.example"}).status_code == 403
        assert [post(data=data).status_code for data in ({}, {"outcome": "info"}, {"outcome": "complained"})] == [
            422,
            422,
            303,
        ]
        until(lambda: everything_is_told(shop))
        assert "complained" in loopback.get(page).text
        assert loopback.post(f"{shop.url}/messages/99/tell").status_code == 404
    assert became(shop) == {"silent": {"complained"}}


def test_without_ears_nothing_is_told_and_no_page_offers_it(shop: Shop) -> None:
    a_day(shop, datetime.now(UTC).replace(hour=12) - timedelta(days=1), "bounce")
    (one,) = shop.log()
    page = f"{shop.url}/messages/{one['id']}"
    assert "Tell it now" not in loopback.get(page).text
    assert loopback.post(f"{page}/tell", data={"outcome": "opened"}).status_code == 409
    assert told(shop) == []


def free_port() -> int:
    with listening_on("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return loopback.get(url).status_code > 0
    except httpx.TransportError:
        return False


def test_base_url_is_all_that_both_programs_need(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SES is the one with most to agree about: keys, a certificate, a topic."""
    port, serving = free_port(), free_port()
    shop = Shop(tmp_path, connect(sqlite_url), f"http://127.0.0.1:{port}", kind="ses")
    shop.write()
    monkeypatch.setenv("AUTOMATION_SERVE__PORT", str(serving))
    monkeypatch.setenv("AUTOMATION_BUSINESS__PUBLIC_URL", f"http://127.0.0.1:{serving}")
    with started(shop, "serve"), started(shop, "sandbox", "--tell", "--port", str(port), "--pace", "0.001"):
        until(lambda: answers(shop.url) and answers(f"http://127.0.0.1:{serving}/"))
        a_day(shop, (datetime.now(UTC) - timedelta(days=1)).replace(hour=12), "bounce", "click")
        until(lambda: everything_is_told(shop))
    assert became(shop) == {"bounce": {"bounced_hard"}, "click": {"delivered", "opened", "clicked"}}
    assert f"it tells http://127.0.0.1:{serving}/hooks/sandbox_email" in logged(shop)
    shop.database.close()
