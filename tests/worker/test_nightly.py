"""The nightly check: once a date, whoever does it; what it finds is kept and told."""

import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from shop import Shop, at, playbook
from sqlalchemy import insert, update

from automation.database.schema import messages
from automation.database.work import checks, downtimes, incidents, workers
from automation.delivery.doctor import Check, examine
from automation.worker.nightly import check_tonight

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
NIGHT, LATER, NEXT = "2026-03-03T02:30:00Z", "2026-03-03T02:35:00Z", "2026-03-04T02:30:00Z"


@pytest.fixture
def sent(shop: Shop) -> Shop:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    return shop


def check(shop: Shop, now: str, worker: str = "one:1") -> bool | None:
    """Whether it found nothing; None when there was nothing to do."""
    found = check_tonight(shop.database, shop.settings, worker, at(now))
    return None if found is None else not found["counts"]


def doctor(shop: Shop, now: str) -> dict[str, Check]:
    return {one.check: one for one in examine(shop.folder / "config.toml", at(now))}


def lie(shop: Shop) -> None:
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(sent_at=None))


def test_it_is_done_once_a_night_from_half_past_three_on(sent: Shop) -> None:
    assert check(sent, NIGHT) is True
    assert check(sent, LATER) is None
    assert check(sent, "2026-03-04T02:29:00Z") is None
    assert check(sent, NEXT) is True
    assert [(row.date, row.ok) for row in sent.rows(checks)] == [(date(2026, 3, 3), True), (date(2026, 3, 4), True)]


def test_of_eight_workers_one_does_it(sent: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda one: check(sent, NIGHT, f"w:{one}"), range(8)))
    assert sorted(str(one) for one in told) == ["None"] * 7 + ["True"]


def test_a_violation_is_kept_logged_and_told_by_the_doctor(sent: Shop, caplog: pytest.LogCaptureFixture) -> None:
    lie(sent)
    assert check(sent, NIGHT) is False
    (row,) = sent.rows(checks)
    assert (row.ok, row.found["counts"]) == (False, {"I2": 1})
    assert row.found["violations"][0]["told"] == "The row is sent and does not say when."
    assert [one.levelname for one in caplog.records if "1 of I2" in one.message] == ["ERROR"]
    assert "ada" not in caplog.text
    told = doctor(sent, LATER)["nightly check"]
    assert (told.ok, "1 of I2" in told.told) == (False, True)
    (incident,) = sent.rows(incidents)
    assert (incident.kind, incident.closed_at) == ("broken_promise", None)


def test_one_that_is_stopped_or_whose_worker_died_is_done_by_the_next(sent: Shop) -> None:
    assert check_tonight(sent.database, sent.settings, "one:1", at(NIGHT), lambda: True) is None
    assert check(sent, LATER, "two:1") is True
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    dead = f"{socket.gethostname()}:{process.pid}"
    with sent.database.writing() as connection:
        held = {"worker": dead, "finished_at": None, "lease_until": at(NEXT)}
        connection.execute(update(checks).values(**held))
    assert check(sent, LATER, "three:1") is True


def test_a_check_under_way_elsewhere_is_left_alone_until_its_lease_ends(sent: Shop) -> None:
    held = {"date": date(2026, 3, 3), "worker": "far:1", "started_at": at(NIGHT), "lease_until": at(NOON1)}
    with sent.database.writing() as connection:
        connection.execute(insert(checks).values(held | {"lease_until": at("2026-03-03T08:30:00Z")}))
    assert check(sent, LATER) is None
    assert check(sent, "2026-03-03T08:30:00Z") is True


def test_changed_caps_and_windows_accuse_nobody_of_what_was_right_yesterday(sent: Shop) -> None:
    assert check(sent, NIGHT) is True
    path = sent.folder / "config.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("max_per_day = 100", "max_per_day = 0"), encoding="utf-8")
    assert check(sent, NEXT) is True
    assert check(sent, "2026-03-05T02:30:00Z") is True
    with sent.database.writing() as connection:
        connection.execute(update(messages).values(first_used_at=at("2026-03-05T11:00:00Z")))
    assert check(sent, "2026-03-06T02:30:00Z") is False


def test_the_doctor_tells_who_lived_last_and_what_the_last_downtime_cost(sent: Shop) -> None:
    assert (doctor(sent, NOON1)["worker"].told, doctor(sent, NOON1)["nightly check"].ok) == ("none has run yet", True)
    seen = {"name": "w:1", "started_at": at(DAY1), "seen_at": at(NOON1)}
    gap = {"began_at": at("2026-02-28T06:00:00Z"), "ended_at": at(DAY1), "cost": {"expired": 7, "canceled": 1}}
    with sent.database.writing() as connection:
        connection.execute(insert(workers).values(seen))
        connection.execute(insert(downtimes).values(gap))
    told = doctor(sent, NOON1)["worker"]
    assert told.ok
    assert told.told == (
        "last alive 2026-03-02 12:00 CET; last downtime 47 hours until 2026-03-02 05:00 UTC cost 7 expired"
    )
    assert not doctor(sent, "2026-03-02T11:06:00Z")["worker"].ok
    with sent.database.writing() as connection:
        connection.execute(update(workers).values(stopped_at=at(NOON1)))
    assert doctor(sent, "2026-03-02T11:06:00Z")["worker"].ok
