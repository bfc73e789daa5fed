"""A provider that is unfit: paused for everybody after three posts, replaced by the next one, tried again with one."""

import multiprocessing
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import Connection

from automation.database.engine import Database
from automation.database.work import incidents, pauses, provider_health
from automation.delivery.health import trouble
from automation.delivery.health.standing import hold, standing_of
from automation.delivery.health.trial import Trial, begin_trial, end_trial
from automation.delivery.replies import Accepted, Later, Refused, Reply, Unknown
from automation.delivery.verify import verify

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
MINUTE = timedelta(minutes=1)
NOW, WALL = at(NOON1), at("2030-01-01T00:00:00Z")
LONG = step("one", late_by="2 days")
NEXT = """
concurrency = 1
[providers.second]
kind = "resend"
base_url = "{url}"
rate = "10000/second"
batch = 1
"""
WRONG_KEY = Refused("http_401", "account", "", http_status=401)
NOBODY = Later(None, "no connection", throttled=False)
SILENCE = Unknown("http_500", http_status=500)
BUSY = Later(None, "http_429", throttled=True, http_status=429)
TAKEN = Accepted("x")


def after(minutes: float) -> str:
    return (at(NOON1) + minutes * MINUTE).isoformat()


def people(shop: Shop, start: int, count: int) -> None:
    shop.customers(*(f"c{number:02}" for number in range(start, start + count)))
    shop.evaluate(DAY1 if start == 0 else f"2026-03-0{2 + start // 10}T05:00:00Z")


@pytest.fixture
def single(shop: Shop) -> Shop:
    """One message a call, one call at a time."""
    shop.batch, shop.email = 1, "concurrency = 1"
    shop.write(care=playbook(LONG))
    return shop


@pytest.fixture
def double(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same, and a second provider of the channel."""
    shop.batch, shop.email = 1, NEXT.format(url=shop.url)
    monkeypatch.setenv("AUTOMATION_EMAIL__PROVIDERS", '["sandbox_email", "second"]')
    shop.write(care=playbook(LONG))
    return shop


@pytest.mark.parametrize("answer", [401, 403, 302])
def test_refused_in_the_middle_of_a_run_the_next_provider_takes_over(double: Shop, answer: int) -> None:
    shop = double
    people(shop, 0, 4)
    assert shop.send(NOON1)["sent"] == 4  # proven fit: calls no longer go one by one
    people(shop, 10, 20)
    shop.fault(answer=answer, times=1000, kind="postmark")
    told = shop.send("2026-03-03T11:00:00Z")
    assert 1000 - shop.faults_left() == 3
    assert (told["sent"], told["held"]) == (17, {"provider_paused": 3})
    assert [one["kind"] for one in shop.log()].count("resend") == 17
    (incident,) = shop.rows(incidents)
    assert (incident.kind, incident.about, incident.closed_at) == ("provider_paused", "provider:sandbox_email", None)
    shop.mended()
    assert shop.send("2026-03-03T11:10:00Z")["sent"] == 3
    assert [row.status for row in shop.rows()] == ["sent"] * 24
    assert [one["kind"] for one in shop.log()[-3:]] == ["postmark"] * 3
    assert [one.closed_at for one in shop.rows(incidents)] == [at("2026-03-03T11:10:00Z")]
    assert verify(shop.database, shop.settings).ok


def test_many_calls_under_way_tell_once_and_no_more_than_those_are_posted(shop: Shop) -> None:
    shop.batch, shop.email = 1, "concurrency = 8"
    shop.write(care=playbook(LONG))
    people(shop, 0, 2)
    shop.send(NOON1)
    people(shop, 10, 60)
    shop.fault(answer=401, times=1000, kind="postmark")
    shop.send("2026-03-03T11:00:00Z")
    assert 1000 - shop.faults_left() <= 3 + 8 - 1
    assert len(shop.rows(incidents)) == 1
    (standing,) = shop.rows(provider_health)
    assert (standing.proven, standing.paused_for) == (False, 300)


def test_failures_count_across_ticks_and_workers(single: Shop) -> None:
    shop = single
    people(shop, 0, 1)
    shop.fault(answer=401, times=1000, kind="postmark")
    for number in range(5):
        shop.send(after(5 * number), f"worker{number}")
    assert 1000 - shop.faults_left() == 4  # three, and the trial after the pause
    assert len(shop.rows(incidents)) == 1


def test_after_a_pause_one_message_is_tried_and_each_failure_doubles_the_pause(single: Shop) -> None:
    shop = single
    people(shop, 0, 9)
    shop.fault(answer=401, times=1000, kind="postmark")
    shop.send(NOON1)
    lasted, posts, now = [], [1000 - shop.faults_left()], at(NOON1)
    for _ in range(6):
        (pause,) = shop.rows(pauses)
        lasted.append((pause.until - now) / MINUTE)
        shop.send((pause.until - timedelta(seconds=1)).isoformat())  # not yet
        now = max([pause.until, *(row.due_at for row in shop.rows())])
        shop.send(now.isoformat())
        posts.append(1000 - shop.faults_left())
    assert lasted == [5, 10, 20, 40, 60, 60]
    assert posts == [3, 4, 5, 6, 7, 8, 9]
    assert len(shop.rows(incidents)) == 1
    assert {row.status for row in shop.rows()} == {"planned"}
    shop.mended()
    assert shop.send((now + 61 * MINUTE).isoformat())["sent"] == 9
    assert [row.paused_for for row in shop.rows(provider_health)] == [0]


def test_without_a_connection_the_provider_is_paused_too_and_nobody_is_told_twice(single: Shop) -> None:
    shop = single
    people(shop, 0, 9)
    real, shop.url = shop.url, "http://127.0.0.1:1"
    shop.write()
    told = shop.send(NOON1)
    assert (told["sent"], told["held"]) == (0, {"retry": 3, "provider_paused": 6})
    shop.send(after(20))
    assert len(shop.rows(incidents)) == 1
    shop.url = real
    shop.write()
    assert shop.send(after(60))["sent"] == 9


def noted(connection: Connection, replies: list[Reply], began: datetime = WALL) -> None:
    calls = [trouble.Told([reply], began + timedelta(seconds=number)) for number, reply in enumerate(replies, start=1)]
    standing = hold(connection, ["one"])["one"]
    trouble.note(connection, standing, calls, NOW, began + timedelta(seconds=len(replies)))


@pytest.mark.parametrize(
    ("replies", "paused"),
    [
        ([WRONG_KEY] * 2, False),
        ([WRONG_KEY] * 3, True),
        ([WRONG_KEY, WRONG_KEY, TAKEN, WRONG_KEY], False),
        ([WRONG_KEY, NOBODY, NOBODY], True),
        ([SILENCE] * 9, False),
        ([SILENCE] * 10, True),
        ([SILENCE, WRONG_KEY, SILENCE], False),
        ([BUSY] * 9, False),
    ],
)
def test_how_much_in_a_row_is_too_much(database: Database, replies: list[Reply], paused: bool) -> None:
    with database.writing() as connection:
        noted(connection, replies)
        assert (standing_of(connection, "one").paused_for > 0) is paused


def test_calls_that_were_under_way_when_it_was_paused_tell_nothing_new(database: Database) -> None:
    with database.writing() as connection:
        noted(connection, [WRONG_KEY] * 3)
        noted(connection, [WRONG_KEY] * 3, WALL - MINUTE)
        noted(connection, [TAKEN], WALL - MINUTE)
        standing = standing_of(connection, "one")
    assert (standing.paused_for, standing.proven) == (300, False)


def trial(database: Database, worker: str, wall: datetime = WALL) -> Trial:
    with database.writing() as connection:
        return begin_trial(connection, "one", worker, MINUTE, NOW, wall)


def test_one_worker_at_a_time_tries_a_provider(database: Database) -> None:
    assert trial(database, "elsewhere:1") is Trial.OURS
    assert trial(database, "elsewhere:2") is Trial.OF_ANOTHER
    with database.writing() as connection:
        end_trial(connection, "one")
    assert trial(database, "elsewhere:2") is Trial.OURS
    with database.writing() as connection:
        noted(connection, [TAKEN])
    assert trial(database, "elsewhere:3") is Trial.OVER
    with database.writing() as connection:
        noted(connection, [WRONG_KEY] * 3)
    assert trial(database, "elsewhere:3") is Trial.PAUSED


def test_a_worker_that_died_in_its_trial_is_not_waited_for_for_ever(database: Database) -> None:
    process = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    process.start()
    process.join()
    host = socket.gethostname()
    assert trial(database, f"{host}:{process.pid}") is Trial.OURS
    assert trial(database, "elsewhere:1") is Trial.OURS  # it is known to be gone
    assert trial(database, "elsewhere:2", WALL + MINUTE) is Trial.OF_ANOTHER
    assert trial(database, "elsewhere:2", WALL + 2 * MINUTE) is Trial.OURS  # its time is over


def test_until_a_provider_is_proven_fit_no_more_is_taken_on_than_is_tried(single: Shop) -> None:
    shop = single
    people(shop, 0, 9)
    shop.fault(hang=0.6, times=1, kind="postmark")
    with ThreadPoolExecutor(1) as sending:
        told = sending.submit(shop.send, NOON1)
        time.sleep(0.3)
        in_flight = [row.status for row in shop.rows()].count("sending")
        assert told.result()["sent"] == 9
    assert in_flight <= 2  # one is tried, one is ready
