"""Sending to a provider that takes everything, against a bare loop that posts the same bytes."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from measure import Line, seconds
from population import write
from sqlalchemy import delete, func, insert, select

from automation.customers.facts.refresh import refresh
from automation.database.engine import Database
from automation.database.schema import (
    SHARDS,
    Shards,
    attempts,
    consents,
    customers,
    enrollments,
    messages,
    offers,
    shard_of,
)
from automation.delivery.cases import load_cases
from automation.delivery.compose import Codes, compose
from automation.delivery.desk import Desk
from automation.delivery.dispatch import Dispatch
from automation.delivery.offers import Code
from automation.delivery.providers import ADAPTERS, account_of
from automation.playbooks.load import read_book
from automation.settings import Settings, load
from automation.worker.evaluate import prepare_run

COUNT = 20_000
IN_FLIGHT = 100
NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)  # noon in Rome
REPETITIONS = 2
# Playbook and step, and the rate to reach as a share of the bare loop's.
CASES = (
    ("email, batches of 500", "trial_offer", "invitation", 2.0),
    ("email with a code, batches of 500", "win_back", "we_miss_you", 2.0),
    ("text, one a call", "trial_offer", "reminder", 0.6),
)


def send(folder: Path, database: Database) -> Iterator[Line]:
    """Messages a second of dispatch and of the bare loop."""
    with sink() as url:
        settings = _settings(folder, url)
        book = read_book(settings)
        give_customers(database, COUNT)
        with database.writing() as connection:
            desk = prepare_run(connection, settings, book, NOW)
            refresh(connection, book.facts, Shards(), NOW, NOW.date())
        for title, playbook, step, goal in CASES:
            yield from _case(database, desk, title, playbook, step, goal)


def _case(database: Database, desk: Desk, title: str, playbook: str, step: str, goal: float) -> Iterator[Line]:
    where = f"{database.engine.dialect.name}, {COUNT:,} messages"
    channel = next(one for one in desk.book.playbooks[playbook].steps if one.key == step).model.channel
    provider = desk.settings.channel(channel).providers[0]
    took = []
    for _ in range(REPETITIONS):
        plan(database, desk, playbook, step, COUNT, NOW)
        summary = asyncio.run(Dispatch(database, desk, lambda: NOW, "one").run())
        took.append(float(summary["seconds"]))
        _require_all_sent(database)
    plan(database, desk, playbook, step, COUNT, NOW)
    requests = _requests(database, desk, provider)
    bare = min(asyncio.run(_post_all(requests)) for _ in range(REPETITIONS))
    size = sum(len(one.content) for one in requests) / len(requests)
    kind = f"bare loop: {size:,.0f} bytes each, {IN_FLIGHT} in flight"
    yield Line("send", where, f"{title}: {kind}", f"{COUNT / bare:,.0f} /s")
    yield Line(
        "send",
        where,
        f"{title}: {seconds(min(took))}",
        f"{COUNT / min(took):,.0f} /s",
        bare / min(took),
        goal,
        more=True,
    )


def _settings(folder: Path, url: str) -> Settings:
    # Everybody gets the text, however often they looked.
    playbook = folder / "playbooks" / "trial_offer.toml"
    told = playbook.read_text(encoding="utf-8")
    playbook.write_text(told.replace("can_sms and visits_30d >= 2", "can_sms"), encoding="utf-8")
    config = (folder / "config.toml").read_text(encoding="utf-8")
    config = config.replace("http://127.0.0.1:8025", url).replace("50/second", "100000/second")
    (folder / "config.toml").write_text(config.replace("concurrency = 32", f"concurrency = {IN_FLIGHT}"))
    return load(folder / "config.toml")


@contextmanager
def sink() -> Iterator[str]:
    """The address of a provider in a process of its own."""
    command = [sys.executable, str(Path(__file__).with_name("sink.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (our own file)
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def give_customers(database: Database, count: int) -> None:
    people, granted = [], []
    for number in range(count):
        customer_id = f"c{number:08}"
        shard = shard_of(customer_id)
        address, phone = f"{customer_id}@example.com", f"+3933{number:08}"
        signup_at = NOW - timedelta(days=100)
        people.append((shard, customer_id, address, phone, "en", None, "IT", signup_at, '{"first_name": "Anna"}', None))
        granted += [
            (shard, customer_id, number, channel, "*", True, "consent", None, "sign-up form", "customer", signup_at)
            for number, channel in enumerate(("email", "sms"), start=1)
        ]
    with database.writing() as connection:
        write(connection, customers, people)
        write(connection, consents, granted)


def plan(database: Database, desk: Desk, playbook: str, step: str, count: int, now: datetime) -> None:
    """One due message for everyone, and nothing else in the ledger."""
    found = desk.book.playbooks[playbook]
    (chosen,) = (one for one in found.steps if one.key == step)
    numbers = [0] * SHARDS
    enrolled, planned = [], []
    for number in range(count):
        customer_id = f"c{number:08}"
        shard = shard_of(customer_id)
        numbers[shard] += 1
        same = {"shard": shard, "customer_id": customer_id, "playbook": playbook}
        key = numbers[shard] * SHARDS + shard
        enrolled.append(
            same
            | {
                "enrollment_id": key,
                "arm": "main",
                "entered_at": now,
                "entered_stage": "aware",
                "next_step": chosen.index,
            }
        )
        planned.append(
            same
            | {"message_id": key, "enrollment_id": key, "version_id": desk.versions[playbook], "step": step}
            | {"channel": chosen.model.channel, "kind": found.model.kind, "topic": found.model.topic, "priority": 50}
            | {"status": "planned", "planned_at": now, "due_at": now, "deadline": now + timedelta(hours=8)}
        )
    with database.writing() as connection:
        for table in (attempts, messages, enrollments, offers):
            connection.execute(delete(table))
        connection.execute(insert(enrollments), enrolled)
        connection.execute(insert(messages), planned)


def _require_all_sent(database: Database) -> None:
    by_status = select(messages.c.status, func.count()).where(messages.c.sent_at.is_not(None)).group_by("status")
    with database.reading() as connection:
        found: dict[str, int] = dict(connection.execute(by_status).all())
    assert found == {"sent": COUNT}, found


def _requests(database: Database, desk: Desk, provider: str) -> list[httpx.Request]:
    """One call for each planned message, with the bytes that dispatch would post alone."""
    adapter, account = (
        ADAPTERS[desk.settings.providers[provider].kind],
        account_of(provider, desk.settings.providers[provider]),
    )
    found = []
    with database.writing() as connection:
        keys = [tuple(key) for key in connection.execute(select(messages.c.shard, messages.c.message_id))]
        spoken = desk.book.facts.types
        for start in range(0, len(keys), 500):
            for loaded in load_cases(connection, desk, keys[start : start + 500], NOW, spoken):
                composed = compose(connection, desk, loaded, Codes(Code("BACK-22222222", NOW)), NOW)
                found.append(adapter.request([composed.outgoing], account, None))
    return found


async def _post_all(requests: Sequence[httpx.Request]) -> float:
    """Seconds that posting them takes, a hundred at a time."""
    waiting = iter(requests)

    async def work(client: httpx.AsyncClient) -> None:
        for request in waiting:
            response = await client.post(request.url, content=request.content, headers=request.headers)
            assert response.is_success

    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT))
    async with httpx.AsyncClient(transport=AiohttpTransport(client=session), timeout=30) as client:
        started = time.perf_counter()
        await asyncio.gather(*(work(client) for _ in range(IN_FLIGHT)))
        return time.perf_counter() - started
