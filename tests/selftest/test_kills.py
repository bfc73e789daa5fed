"""Workers are killed at every named place and at any instant: nothing is lost, nothing doubled, nothing hidden."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from multiprocessing.context import ForkServerProcess

import planted
import pytest
from sqlalchemy import insert, update

from automation.database.engine import open_database
from automation.database.work import provider_health, run_parts
from automation.delivery.workers import worker_name
from automation.faultpoints import SENDING
from automation.selftest import KEYED, KEYLESS, Finding, selftest
from automation.selftest.kills import WHILE, End, Trial, WorkerFailed, trial
from automation.selftest.shop import BEGINNING, KEYLESS_RESEND, Kind
from automation.settings import load
from automation.worker.begin import begin


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> str | None:
    found: str | None = request.getfixturevalue("postgres_server") if request.param == "postgresql" else None
    return found


@pytest.mark.parametrize("kind", [KEYED, KEYLESS, KEYLESS_RESEND], ids=lambda kind: kind.name)
def test_a_kill_at_every_named_place_loses_nothing_and_hides_nothing(kind: Kind, server: str | None) -> None:
    with trial(kind, server, customers=12) as made:
        for point in SENDING:
            kill_at(made, point)
        made.finish()
        found = made.check(seed=0, seconds=0)
    assert made.kills == len(SENDING)
    assert found.ok, found
    assert found.taken >= found.messages - found.unknown
    assert (found.unknown > 0) is (kind is KEYLESS)


@pytest.mark.parametrize("kind", [KEYED, KEYLESS], ids=lambda kind: kind.name)
def test_kills_at_any_instant_lose_nothing_and_double_nothing(kind: Kind, server: str | None) -> None:
    found = selftest(kind, kills=8, seed=1, server=server)
    assert found.ok, found
    assert found.kills >= 8
    assert found.taken > 0


def test_a_day_whose_run_seems_to_be_anothers_is_waited_for() -> None:
    """The number of a process that was killed may be given to another one, which lives."""
    with trial(KEYED, customers=3) as made:
        with closing(open_database(load(made.folder / "config.toml"))) as database:
            begun = BEGINNING + timedelta(minutes=1)
            with database.writing() as connection:
                assert begin(connection, begun.date(), begun)
                held = {"worker": worker_name(), "lease_until": begun + timedelta(minutes=10)}
                connection.execute(update(run_parts).values(held))
        made.lives([End()])
        assert made.days == 1
        made.finish()
        found = made.check(seed=1, seconds=0)
    assert (found.messages, found.taken, found.lost) == (3, 3, 0)


def test_every_hour_of_the_shop_is_as_good_as_another() -> None:
    with trial(KEYLESS, customers=3) as made:
        made.ahead += timedelta(hours=11)
        made.finish()
        found = made.check(seed=1, seconds=0)
    assert (found.messages, found.taken, found.lost) == (6, 6, 0)


@pytest.mark.parametrize(
    ("mistake", "kind", "point", "shows"),
    [
        (planted.blind_requeue, KEYLESS, "half_heard", "duplicated"),
        (planted.new_key_per_attempt, KEYED, "half_heard", "duplicated"),
        (planted.record_before_post, KEYED, "sending_committed", "lost"),
        (planted.lost_unknown, KEYLESS, "half_heard", "violations"),
    ],
)
def test_a_planted_mistake_is_found(mistake: Callable[[], None], kind: Kind, point: str, shows: str) -> None:
    with trial(kind, first=mistake, customers=3) as made:
        kill_at(made, point)
        made.finish()
        found = made.check(seed=0, seconds=0)
    assert getattr(found, shows) > 0, found


def test_kills_at_any_instant_find_a_planted_mistake() -> None:
    found = selftest(KEYLESS, kills=8, seed=2, first=planted.lost_unknown)
    assert found.violations > 0, found


def test_two_workers_that_take_the_same_rows_are_found(postgres_server: str) -> None:
    with trial(KEYLESS, postgres_server, planted.no_claim, customers=12) as made:
        while_one_sleeps(made, "claimed")
        assert made.check(seed=0, seconds=0).duplicated > 0


def test_two_workers_keep_the_cap_of_one_customer_together(postgres_server: str) -> None:
    assert not goes_over_cap(postgres_server, planted.one_at_a_time)


def test_a_cap_that_two_workers_do_not_keep_together_is_found(postgres_server: str) -> None:
    assert goes_over_cap(postgres_server, planted.cap_read_outside)


def kill_at(made: Trial, point: str) -> None:
    """A worker is killed at this place: today or, when nothing is left to send, tomorrow."""
    before = made.kills
    for _ in range(4):
        made.lives([End(faults=f"{point}=kill@1")])
        if made.kills > before:
            return
    pytest.fail(f"nobody came to {point}")


def goes_over_cap(server: str, first: Callable[[], None]) -> bool:
    """A customer with two messages due and a cap of one: a worker freezes once it has decided, another decides too."""
    with trial(replace(KEYLESS, channels=("email",)), server, first, customers=1) as made:
        config = made.folder / "config.toml"
        config.write_text(config.read_text().replace("max_per_day = 100", "max_per_day = 1"))
        daily = made.folder / "playbooks" / "daily.toml"
        daily.with_name("also.toml").write_text(daily.read_text())
        while_one_sleeps(made, "before_sending")
        return made.check(seed=0, seconds=0).violations > 0


def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(postgres_server: str) -> None:
    frozen_and_woken = wake(postgres_server, None)
    assert frozen_and_woken.ok, frozen_and_woken
    assert frozen_and_woken.unknown > 0


def test_a_worker_that_writes_over_what_another_found_out_is_found(postgres_server: str) -> None:
    try:
        found = wake(postgres_server, planted.unlock_without_owner)
    except WorkerFailed:
        return
    assert found.violations > 0, found


def wake(server: str, mistake: Callable[[], None] | None) -> Finding:
    """One worker is frozen with its answers in hand; another looks after its calls; then the first goes on."""
    with trial(KEYLESS, server, mistake, customers=12) as made:
        prove_providers(made)  # or the other one would wait until the first has had its time to try
        while_one_sleeps(made, "before_record", WHILE)
        return made.check(seed=0, seconds=0)


def prove_providers(made: Trial) -> None:
    with closing(open_database(load(made.folder / "config.toml"))) as database, database.writing() as connection:
        for provider in ("mail", "text"):
            connection.execute(insert(provider_health).values(provider=provider, proven=True))


def while_one_sleeps(made: Trial, point: str, length: timedelta = timedelta(0)) -> None:
    """One worker freezes at this point; another lives, so much later; then the first goes on."""
    sleeper = made.life(f"{point}=freeze@1")
    wait_until_stopped(sleeper)
    made.ahead += length
    made.lives([End()])
    os.kill(sleeper.pid or 0, signal.SIGCONT)
    made.died(sleeper)
    made.finish()


def wait_until_stopped(process: ForkServerProcess) -> None:
    while True:
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:  # noqa: PTH123 (a file of the system)
            if file.read().rpartition(") ")[2].startswith("T"):
                return
        assert process.is_alive()
        time.sleep(0.02)
