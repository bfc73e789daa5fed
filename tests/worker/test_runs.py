"""One run for each local date, whoever starts it and whatever is killed."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, at, playbook
from sqlalchemy import update

from automation.database.engine import Database
from automation.database.schema import facts_as_of
from automation.database.work import run_parts, runs
from automation.delivery.workers import is_gone, worker_name
from automation.errors import BadFiles
from automation.worker import begin
from automation.worker import runs as daily
from automation.worker.evaluate import evaluate_part
from automation.worker.files import Files

DAY1, DAY2 = "2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"


def tick(shop: Shop, now: str, worker: str = "w") -> dict[str, Any] | None:
    return daily.tick(shop.database, shop.settings, shop.book, worker, at(now))


def test_a_date_is_due_from_its_hour_on_and_only_once(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    first = tick(shop, "2026-03-02T04:59:00Z")  # before six in Rome: yesterday's run is the newest that is due
    second = tick(shop, "2026-03-02T05:00:00Z")
    assert first is not None
    assert second is not None
    assert (first["date"], second["date"]) == ("2026-03-01", "2026-03-02")
    assert tick(shop, "2026-03-02T05:00:20Z") is None


def test_a_run_that_begins_after_midnight_leaves_the_new_date_to_its_own_run(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada")
    late = tick(shop, "2026-03-03T01:00:00Z")
    shop.orders("ada", "2026-03-03T02:00:00Z")
    tick(shop, "2026-03-03T06:00:00Z")
    assert late is not None
    assert late["date"] == "2026-03-02"
    assert shop.moves() == [
        ("ada", "2026-03-02", None, "new", "first"),
        ("ada", "2026-03-03", "new", "buyer", "forward"),
    ]


def test_a_dry_run_foresees_changes_of_a_date_that_was_run_already(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada")
    tick(shop, DAY1)
    shop.orders("ada", "2026-03-02T10:00:00Z")
    told = daily.dry_run(shop.database, shop.settings, shop.book, at("2026-03-02T15:00:00Z"))
    assert told["changes"] == 1
    assert shop.moves() == [("ada", "2026-03-02", None, "new", "first")]


def test_after_downtime_the_newest_date_runs_and_older_ones_are_missed(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    tick(shop, DAY1)
    tick(shop, "2026-03-06T06:00:00Z")
    assert [(row.date.day, row.status) for row in shop.rows(runs)] == [
        (2, "done"),
        (3, "missed"),
        (4, "missed"),
        (5, "missed"),
        (6, "done"),
    ]


def test_four_schedulers_in_the_same_second_do_one_run(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers(*(f"c{number}" for number in range(40)))
    settings, book = shop.settings, shop.book
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda one: daily.tick(shop.database, settings, book, f"w{one}", at(DAY1)), range(4)))
    assert sum(one["planned"] for one in told if one) == 40
    assert len(shop.rows()) == 40
    assert [row.status for row in shop.rows(runs)] == ["done"]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begin, "CUSTOMERS_A_PART", 10)


@pytest.mark.usefixtures("small_parts")
def test_a_killed_run_resumes_at_its_unfinished_parts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(care=playbook())
    shop.customers(*(f"c{number}" for number in range(40)))
    calls: list[Any] = []

    def die_in_the_third_part(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return evaluate_part(*given)

    with monkeypatch.context() as patch:
        patch.setattr(daily, "evaluate_part", die_in_the_third_part)
        with pytest.raises(KeyboardInterrupt):
            shop.evaluate(DAY1)
    done = [row.first_shard for row in shop.rows(run_parts) if row.finished_at is not None]
    assert len(done) == 2
    # Another worker does what nobody holds; what the dead one held waits for its lease.
    shop.evaluate("2026-03-02T06:05:00Z", worker="second")
    assert [row.status for row in shop.rows(runs)] == ["running"]
    shop.evaluate("2026-03-02T06:11:00Z", worker="second")
    assert len(shop.rows()) == 40
    assert [row.status for row in shop.rows(runs)] == ["done"]


def test_the_part_of_a_process_that_is_gone_from_this_machine_is_free_at_once(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = f"{socket.gethostname()}:{process.pid}"
    assert (is_gone(dead), is_gone(worker_name()), is_gone("elsewhere:1")) == (True, False, False)
    with shop.database.writing() as connection:
        held = {"worker": dead, "lease_until": at("2026-03-02T07:00:00Z"), "finished_at": None}
        connection.execute(update(run_parts).values(**held))
        connection.execute(update(runs).values(status="running"))
    shop.evaluate(DAY1)
    assert [row.status for row in shop.rows(runs)] == ["done"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not tell when a process was born")
def test_a_program_that_got_the_number_of_a_dead_worker_is_not_taken_for_it() -> None:
    host, number, born = worker_name().split(":")
    assert is_gone(f"{host}:{number}:{int(born) - 1}")
    assert not is_gone(f"{host}:{number}")  # what an older version wrote down


@pytest.mark.usefixtures("small_parts")
def test_parts_cover_every_shard_once(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers(*(f"c{number}" for number in range(95)))
    told = shop.evaluate(DAY1)
    parts = [(row.first_shard, row.last_shard) for row in shop.rows(run_parts)]
    assert [shard for first, last in parts for shard in range(first, last + 1)] == list(range(256))
    assert (len(parts), told["changes"], sum(told["stages"].values())) == (10, 95, 95)


def test_a_dry_run_tells_the_same_and_changes_nothing(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    dry = daily.dry_run(shop.database, shop.settings, shop.book, at(DAY1))
    assert (shop.rows(), shop.moves(), shop.rows(runs), shop.rows(facts_as_of)) == ([], [], [], [])
    real = shop.evaluate(DAY1)
    assert {**dry, "seconds": 0} == {**real, "seconds": 0}


def test_a_run_of_a_date_before_the_newest_one_looks_at_the_facts_of_that_date(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada")
    shop.orders("ada", "2026-03-02T12:00:00Z")
    assert shop.evaluate(DAY2)["stages"]["buyer"] == 1
    assert shop.evaluate(DAY1)["stages"]["new"] == 1


def test_two_plans_of_the_same_state_are_the_same_byte_for_byte(shop: Shop) -> None:
    shop.write(care=playbook(), more=playbook(priority=80))
    shop.customers(*(f"c{number}" for number in range(30)))
    plans = []
    for _ in range(2):
        shop.evaluate(DAY1)
        plans.append([tuple(row) for row in shop.rows()])
        forget(shop.database)
    assert plans[0] == plans[1]


def forget(database: Database) -> None:
    with database.writing() as connection:
        for name in ("messages", "enrollments", "stage_changes", "facts_as_of", "run_parts", "runs"):
            connection.exec_driver_sql(f"DELETE FROM {name}")


def test_the_clock_change_gives_each_date_one_run(shop: Shop) -> None:
    shop.write(care=playbook(active=False))
    shop.customers("ada")
    now, dates = at("2026-10-23T04:00:00Z"), []
    while now < at("2026-10-28T00:00:00Z"):  # the clocks go back on the 25th
        told = tick(shop, now.isoformat())
        dates += [date.fromisoformat(told["date"]).day] if told else []
        now += timedelta(minutes=30)
    assert dates == [23, 24, 25, 26, 27]


def test_a_part_taken_over_is_not_done_twice(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:
        connection.execute(update(runs).values(status="running"))
    assert shop.evaluate(DAY1)["planned"] == 0


def test_a_broken_template_stops_the_run_before_anything_is_written(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    template = shop.folder / "templates/hello/hello.en.md"
    template.write_text('+++\nsubject = "Hello"\n+++\nHello {{ customer.first_name | }}\n', encoding="utf-8")
    with pytest.raises(BadFiles, match=r"hello\.en\.md:4"):
        shop.evaluate(DAY1)
    assert (shop.rows(runs), shop.passages(), shop.statuses()) == ([], [], [])


def test_a_running_worker_keeps_the_last_good_files(shop: Shop) -> None:
    shop.write(care=playbook())
    told: list[str | None] = []
    files = Files(shop.settings, told.append)
    good = files.book()
    template = shop.folder / "templates/hello/hello.en.md"
    template.write_text('+++\nsubject = "Hello"\n+++\nHello {{ nobody | }}\n', encoding="utf-8")
    assert files.book() is good
    template.write_text('+++\nsubject = "Better"\n+++\nHello\n', encoding="utf-8")
    assert files.book() is not good
    assert [words and words.partition(":")[0].rpartition("/")[2] for words in told] == [None, "hello.en.md", None]
