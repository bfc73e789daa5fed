"""Several workers: on SQLite the second is refused, on PostgreSQL it is welcome; one that died is followed at once."""

import multiprocessing
import signal
import socket
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import event, update

from automation.database.engine import Database, connect
from automation.database.schema import messages
from automation.delivery.recovery.recover import recover
from automation.delivery.sandbox import SandboxServer
from automation.delivery.tally import Tally
from automation.delivery.verify import verify
from automation.errors import SecondWorker
from automation.worker.evaluate import prepare_run
from automation.worker.only import only_worker

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"


def test_a_second_worker_is_refused_on_sqlite_and_may_work_on_postgresql(database: Database) -> None:
    second = pytest.raises(SecondWorker, match="PostgreSQL") if database.is_sqlite else nullcontext()
    with only_worker(database), second, only_worker(database):
        pass
    with only_worker(database):  # the first has ended
        pass


def test_the_command_says_so_and_a_killed_worker_holds_nothing(
    tmp_path: Path, sqlite_url: str, sandbox_server: SandboxServer
) -> None:
    shop = Shop(tmp_path, connect(sqlite_url), sandbox_server.url)
    shop.write()
    command = [sys.executable, "-m", "automation", "run", "--config", str(shop.folder / "config.toml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as first:  # noqa: S603 (our own program)
        assert first.stderr is not None
        assert any("worker started" in line for line in first.stderr)
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 (likewise)
        first.send_signal(signal.SIGKILL)
    assert second.returncode == 2
    assert "Another worker runs on this SQLite database" in second.stderr
    with only_worker(shop.database):
        pass
    shop.database.close()


def test_what_a_dead_process_of_this_machine_had_in_flight_is_looked_at_without_waiting_for_its_lease(
    shop: Shop,
) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    process.start()
    process.join()
    name = f"{socket.gethostname()}:{process.pid}"
    lost = {"status": "sending", "worker": name, "lease_until": at("2026-03-02T23:00:00Z"), "attempts": 1, "fence": 1}
    lost |= {"provider": "sandbox_email", "batch": "b", "first_used_at": at(NOON1)}
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(**lost))
    assert shop.send(NOON1)["unknown"] == 1
    assert shop.log() == []
    assert verify(shop.database, shop.settings).ok


def test_what_a_dead_worker_had_in_flight_is_given_up_with_one_look_at_the_locks(shop: Shop) -> None:
    """Whoever locks shards twice may wait for somebody who waits for them."""
    if shop.database.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    shop.write(care=playbook(step("one") + step("two", after="1 day")))
    shop.customers("ada", "bob", "cleo")
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:
        for number, name in enumerate(("ada", "bob", "cleo")):
            lost = {"status": "sending", "worker": "gone", "lease_until": at(DAY1), "attempts": 1, "fence": 1}
            lost |= {"provider": "sandbox_email", "batch": f"b{number}", "first_used_at": at(DAY1)}
            connection.execute(update(messages).where(messages.c.customer_id == name).values(**lost))
    asked: list[str] = []
    event.listen(shop.database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    with shop.database.writing() as connection:
        desk = prepare_run(connection, shop.settings, shop.book, at(NOON1))
        tally = Tally()
        recover(connection, desk, {}, "test", at(NOON1), tally)
    assert tally.statuses["unknown"] == 3
    assert sum("pg_advisory_xact_lock" in one and "each" in one for one in asked) == 1
    assert [row.step for row in shop.rows()].count("two") == 3
