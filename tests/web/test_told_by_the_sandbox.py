"""A day from the post to what became of it: the sandbox is each vendor in turn, and tells what happened."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from serving import served, until
from shop import Shop, playbook

from automation.database.engine import Database
from automation.database.hooks import hook_calls
from automation.database.schema import outcomes, suppressions
from automation.delivery.outcomes.at_home import key_of
from automation.delivery.sandbox import SandboxServer
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
QUICK = 0.001


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


def listening(shop: Shop, address: str, kind: str) -> Ear:
    key = key_of(shop.settings, "sandbox_email")
    return Ear(f"{address}/hooks/sandbox_email", key.token, key.secret)


def a_day(shop: Shop, noon: datetime, *people: str) -> None:
    shop.write(care=playbook())
    shop.customers(*people, now=str(noon - timedelta(days=30)))
    shop.evaluate(str(noon - timedelta(hours=6)))
    shop.send(str(noon))


def everything_is_told(shop: Shop) -> bool:
    told = httpx.get(f"{shop.url}/api/told", trust_env=False).json()
    return told["waiting"] == 0 and all(row.processed_at for row in shop.rows(hook_calls))


def became(shop: Shop) -> dict[str, set[str]]:
    customer = {row.message_id: row.customer_id for row in shop.rows()}
    found: dict[str, set[str]] = {one: set() for one in customer.values()}
    for row in shop.rows(outcomes):
        found[customer[row.message_id]].add(row.outcome)
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_became_of_each_message_is_in_the_tables(shop: Shop, ears: dict[str, Ear], kind: str) -> None:
    now = datetime.now(UTC)
    shop.kind = kind
    shop.write()
    with served(shop, str(now)) as address:
        ears[kind] = listening(shop, address, kind)
        a_day(shop, (now - timedelta(days=1)).replace(hour=12), *PEOPLE)
        until(lambda: everything_is_told(shop))
    untold = UNTOLD.get(kind, set())
    assert became(shop) == {one: expected - untold for one, expected in PEOPLE.items()}
    assert {row.address.partition("@")[0] for row in shop.rows(suppressions)} >= {"bounce", "complain"}
    assert {row.problem for row in shop.rows(hook_calls)} == {None}
    assert verify(shop.database, shop.settings).ok
