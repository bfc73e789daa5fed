"""Several workers in the same millisecond do what one would do: the run, the caps, the offer codes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import insert

from automation.database.engine import Database, connect
from automation.database.schema import enrollments, offers, stage_changes
from automation.database.work import downtimes, run_parts, runs, workers
from automation.delivery.dispatch import Dispatch
from automation.delivery.offers import load_codes
from automation.delivery.sandbox import SandboxServer
from automation.delivery.verify import verify
from automation.worker import begin
from automation.worker import runs as daily
from automation.worker import start as starting
from automation.worker.evaluate import prepare_run
from automation.worker.scheduler import Worker
from automation.worker.start import Start

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
THREE = step("one") + step("two") + step("three")
T = TypeVar("T")


@pytest.fixture
def shop(tmp_path: Path, postgres_url: str, sandbox: SandboxServer) -> Iterator[Shop]:
    """On PostgreSQL, where several may work."""
    shop = Shop(tmp_path, connect(postgres_url), sandbox.url)
    yield shop
    shop.database.close()


def together(shop: Shop, count: int, work: Callable[[Database, int], T]) -> Sequence[T]:
    """The work of so many workers that begin at once, each with connections of its own."""
    url = shop.database.engine.url.render_as_string(hide_password=False)
    barrier = threading.Barrier(count)

    def one(number: int) -> T:
        database = connect(url)
        try:
            barrier.wait(30)
            return work(database, number)
        finally:
            database.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def plan(shop: Shop) -> dict[str, Any]:
    """Everything a run decides, without the numbers that are given out as it comes."""
    people = {row.enrollment_id: (row.customer_id, row.playbook, row.arm) for row in shop.rows(enrollments)}
    changes = [tuple(row) for row in shop.rows(stage_changes)]
    planned = sorted((*people[row.enrollment_id], row.step, row.due_at, row.status) for row in shop.rows())
    return {"people": sorted(people.values()), "changes": changes, "planned": planned}


@pytest.mark.parametrize("count", [2, 8])
def test_schedulers_in_the_same_millisecond_do_one_run(shop: Shop, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin, "CUSTOMERS_A_PART", 10)
    shop.write(care=playbook(holdout=0.2), more=playbook(priority=80))
    shop.customers(*(f"c{number}" for number in range(80)))
    settings, book = shop.settings, shop.book
    told = together(shop, count, lambda database, one: daily.tick(database, settings, book, f"w:{one}", at(DAY1)))
    done = [one for one in told if one]
    assert [row.status for row in shop.rows(runs)] == ["done"]
    assert sum(one["planned"] for one in done) == len(shop.rows()) == 160
    assert sum(one["changes"] for one in done) == len(shop.rows(stage_changes)) == 80
    parts = shop.rows(run_parts)
    assert len(parts) == 8
    assert sum(part.summary["changes"] for part in parts) == 80
    assert verify(shop.database, settings).ok
    by_many = plan(shop)
    forget(shop.database)
    shop.evaluate(DAY1)
    assert plan(shop) == by_many


def forget(database: Database) -> None:
    with database.writing() as connection:
        for name in ("messages", "enrollments", "stage_changes", "facts_as_of", "run_parts", "runs"):
            connection.exec_driver_sql(f"DELETE FROM {name}")


def dispatch(shop: Shop, count: int, now: str = NOON1) -> Counter[str]:
    """What so many dispatches at once did together."""
    settings, book = shop.settings, shop.book

    def one(database: Database, number: int) -> dict[str, Any]:
        with database.writing() as connection:
            desk = prepare_run(connection, settings, book, at(now))
        return asyncio.run(Dispatch(database, desk, lambda: at(now), f"w:{number}").run())

    total: Counter[str] = Counter()
    for told in together(shop, count, one):
        total.update({key: told[key] for key in ("sent", "unknown", "failed", "rejected")})
    return +total


@pytest.mark.parametrize("batch", [1, 500])
def test_no_customer_gets_more_than_the_cap_from_four_dispatches_at_once(shop: Shop, batch: int) -> None:
    shop.per_day, shop.batch = 1, batch
    shop.write(a=playbook(), b=playbook(priority=70), c=playbook(priority=90))
    shop.customers(*(f"c{number}" for number in range(40)))
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:  # as if each had been decided alone: all three are due at once
        connection.exec_driver_sql(
            "UPDATE messages SET status = 'planned', reason = NULL, finished_at = NULL, due_at = planned_at"
        )
        connection.exec_driver_sql("UPDATE enrollments SET exited_at = NULL, exit_reason = NULL, next_step = 0")
    assert dispatch(shop, 4) == {"sent": 40}
    assert set(Counter(one["recipient"] for one in shop.log()).values()) == {1}
    assert verify(shop.database, shop.settings).ok


def test_no_offer_code_is_given_twice_by_four_dispatches_at_once(shop: Shop) -> None:
    offer = '[offer]\npool = "spring"\nvalid_for = "9 days"\n'
    shop.batch = 5
    shop.write(care=playbook(offer + step("one")))
    template = '+++\nsubject = "{{ offer.code }}"\n+++\nHello\n'
    (shop.folder / "templates/hello/hello.en.md").write_text(template, encoding="utf-8")
    shop.customers(*(f"c{number}" for number in range(40)))
    with shop.database.writing() as connection:
        load_codes(connection, "spring", [f"CODE-{number:02}" for number in range(25)], at(DAY1))
    shop.evaluate(DAY1)
    assert dispatch(shop, 4) == {"sent": 25}
    said = [one["subject"] for one in shop.log()]
    assert len(said) == len(set(said)) == 25
    assert len({row.enrollment_id for row in shop.rows(offers)}) == 25
    assert Counter((row.status, row.reason) for row in shop.rows()) == {
        ("sent", None): 25,
        ("planned", "no_offer_code"): 15,
    }
    assert verify(shop.database, shop.settings).ok


def test_four_workers_that_come_back_together_tell_of_one_downtime(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "TRY_AGAIN", timedelta(seconds=0.1))
    shop.write(care=playbook(step("one") + step("two", after="1 days")))
    shop.customers(*(f"c{number}" for number in range(20)))
    shop.evaluate(DAY1)
    shop.send(NOON1)
    with shop.database.writing() as connection:
        connection.execute(insert(workers).values(name="x:1", started_at=at(DAY1), seen_at=at(NOON1)))
    settings, now = shop.settings, "2026-03-05T11:00:00Z"

    def start(database: Database, number: int) -> None:
        worker = Worker(database, settings, lambda: at(now))
        Start(database, settings, lambda: at(now), f"w:{number}", worker, threading.Event()).run()

    together(shop, 4, start)
    (gap,) = shop.rows(downtimes)
    assert gap.cost["missed"] == ["2026-03-03", "2026-03-04"]
    assert sum("nobody worked" in record.message for record in caplog.records) == 1
    assert Counter(row.status for row in shop.rows()) == {"sent": 20, "expired": 20}
    assert len(shop.rows(workers)) == 5
    assert [row.status for row in shop.rows(runs)] == ["done", "missed", "missed", "done"]
