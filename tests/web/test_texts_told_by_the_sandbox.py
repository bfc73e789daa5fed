"""A day of texts from the post to what became of each: the sandbox is each vendor in turn, and tells what happened."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import loopback
import pytest
from serving import served, until
from shop import Shop, playbook, step

from automation.database.engine import connect
from automation.database.hooks import hook_calls
from automation.database.schema import consents, outcomes, suppressions
from automation.delivery.outcomes.at_home import key_of
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.telling import Ear
from automation.delivery.verify import verify
from automation.settings.provider import SmsKind

# By the last four digits of their numbers.
PEOPLE = {
    "9001": {"delivered"},
    "9002": {"delivered"},  # and writes STOP
    "9003": {"unsubscribed"},
    "9004": {"bounced_hard"},
    "9005": {"bounced_soft"},
    "9006": {"failed"},
    "9009": set(),
}
# They do not tell who has opted out, but refuse the next text.
UNTOLD = {"aws_sms": {"unsubscribed"}, "sinch": {"unsubscribed"}}
QUICK = 0.0001


@pytest.fixture
def ears() -> dict[str, Ear]:
    return {}


@pytest.fixture
def sandbox(ears: dict[str, Ear]) -> Iterator[SandboxServer]:
    """One of this test's own, that tells at once."""
    with SandboxServer(ears=ears, pace=QUICK) as server:
        yield server


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str, sandbox: SandboxServer) -> Iterator[Shop]:
    """On one database: what is told of mails is kept by the same code, and tried on both."""
    database = connect(sqlite_url)
    found = Shop(tmp_path, database, sandbox.url)
    found.write(care=playbook(step("one", "hello/text", "sms")))
    yield found
    database.close()


def a_day(shop: Shop, noon: datetime) -> None:
    for ending in PEOPLE:
        shop.customers(ending, phone=f"+1201555{ending}", now=str(noon - timedelta(days=30)))
    shop.evaluate(str(noon - timedelta(hours=6)))
    shop.send(str(noon))


def everything_is_told(shop: Shop) -> bool:
    told = loopback.get(f"{shop.url}/api/told").json()["told"]
    is_told = all(one["due"] is None for one in told)
    return is_told and all(row.processed_at for row in shop.rows(hook_calls))


def became(shop: Shop) -> dict[str, set[str]]:
    customer = {row.message_id: row.customer_id for row in shop.rows()}
    found: dict[str, set[str]] = {one: set() for one in customer.values()}
    for row in shop.rows(outcomes):
        found[customer[row.message_id]].add(row.outcome)
    return found


@pytest.mark.parametrize("kind", get_args(SmsKind))
def test_what_became_of_each_text_is_in_the_tables(shop: Shop, ears: dict[str, Ear], kind: str) -> None:
    now = datetime.now(UTC)
    shop.text_kind = kind
    shop.write()
    with served(shop, str(now), is_public=True) as address:
        key = key_of(shop.settings, "sandbox_sms")
        ears[kind] = Ear(f"{address}/hooks/sandbox_sms", key.token, key.secret)
        a_day(shop, (now - timedelta(days=1)).replace(hour=12))
        until(lambda: everything_is_told(shop))
    untold = UNTOLD.get(kind, set())
    assert became(shop) == {one: expected - untold for one, expected in PEOPLE.items()}
    stopped = {"+12015559002", "+12015559004", *(() if untold else ("+12015559003",))}
    assert {row.address for row in shop.rows(suppressions)} == stopped
    withdrawn = {row.customer_id for row in shop.rows(consents) if not row.granted}
    assert withdrawn == {"9002", *(() if untold else ("9003",))}
    assert {row.problem for row in shop.rows(hook_calls)} == {None}
    assert verify(shop.database, shop.settings).ok
