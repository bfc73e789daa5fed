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
from shop import Shop, at, playbook
from sqlalchemy import update

from automation.database.engine import Database, connect
from automation.database.schema import messages
from automation.delivery.sandbox import SandboxServer
from automation.delivery.verify import verify
from automation.errors import SecondWorker
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
