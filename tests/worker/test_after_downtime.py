"""The start of a worker after downtime: in order, never too late, told once, and then at a ramp."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import insert, text, update

from automation.database.engine import Database
from automation.database.schema import attempts, messages
from automation.database.upgrade import quick_check
from automation.database.work import downtimes, incidents, runs, workers
from automation.delivery.verify import verify
from automation.errors import DatabaseDamaged, WrongSchema
from automation.worker import life
from automation.worker import runs as daily
from automation.worker import start as starting
from automation.worker.ramp import share
from automation.worker.scheduler import Worker
from automation.worker.start import Start

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
NOON4 = "2026-03-05T11:00:00Z"
OFFER = '[offer]\ngenerate = "WB-########"\nvalid_for = "2 days"\n'
GOAL = '[goal]\nevent = "Order"\nwithin = "30 days"\n'


def begin(shop: Shop, now: str, *, stopping: threading.Event | None = None) -> Worker:
    """A worker that has started and would now send."""
    moment = at(now)
    worker = Worker(shop.database, shop.settings, lambda: moment)
    Start(shop.database, shop.settings, lambda: moment, worker.name, worker, stopping or threading.Event()).run()
    return worker


def alive(shop: Shop, now: str, **values: Any) -> None:
    """Somebody's last sign of life."""
    with shop.database.writing() as connection:
        row = {"name": "elsewhere:1", "started_at": at(now), "seen_at": at(now), "stopped_at": None}
        connection.execute(insert(workers).values(row | values))


def ends(shop: Shop) -> dict[str, tuple[str, str | None]]:
    """Status and reason of each customer's newest message."""
    found = sorted(shop.rows(), key=lambda row: row.message_id)
    return {row.customer_id: (row.status, row.reason) for row in found}


@pytest.fixture
def back(shop: Shop) -> Shop:
    """Three days down with due steps of every kind: the day before it, everybody got the first message."""
    late = {"after": "1 days", "at": "10:00"}
    shop.write(
        offer=playbook(OFFER + step("one") + step("two", late_by="9 days", **late), when='locale = "fr"'),
        nudge=playbook(GOAL + step("one") + step("two", late_by="9 days", **late), when='locale = "it"'),
        trial=playbook(step("one") + step("two", **late), when='locale = "de"'),
        patient=playbook(step("one") + step("two", late_by="4 days", **late), when='locale = "en"'),
    )
    for customer, locale in {"offered": "fr", "buyer": "it", "trial": "de", "late": "en"}.items():
        shop.customers(customer, locale=locale)
    shop.customers("night", locale="en", timezone="Pacific/Auckland")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    shop.send("2026-03-02T20:00:00Z")  # morning in Auckland
    alive(shop, "2026-03-02T20:00:00Z")
    shop.orders("buyer", "2026-03-03T12:00:00Z")
    return shop


def test_three_days_down_what_is_too_late_ends_and_what_is_not_is_sent(
    back: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    assert {status for status, _ in ends(back).values()} == {"planned"}
    begin(back, NOON4)
    assert len(back.log()) == 5
    assert ends(back) == {
        "offered": ("expired", "offer_expired"),
        "buyer": ("canceled", "goal_met"),
        "trial": ("expired", "too_late"),
        "late": ("planned", None),
        "night": ("planned", "outside_window"),
    }
    (gap,) = back.rows(downtimes)
    assert gap.cost == {
        "expired": 2,
        "canceled": 1,
        "reasons": {"goal_met": 1, "offer_expired": 1, "too_late": 1},
        "missed": ["2026-03-03", "2026-03-04"],
    }
    assert [record.levelname for record in caplog.records if "nobody worked" in record.message] == ["WARNING"]
    assert back.send(NOON4)["sent"] == 1
    assert back.send("2026-03-05T20:00:00Z")["sent"] == 1
    assert verify(back.database, back.settings).ok


def test_some_hours_down_after_the_daily_run_are_accounted_for_too(back: Shop) -> None:
    back.evaluate("2026-03-03T05:00:00Z")
    alive(back, "2026-03-03T08:00:00Z", name="elsewhere:2")
    back.orders("buyer", "2026-03-03T13:00:00Z")
    with back.database.writing() as connection:
        connection.execute(update(messages).where(messages.c.customer_id == "trial").values(deadline=at(NOON1)))
    begin(back, "2026-03-03T14:00:00Z")
    (gap,) = back.rows(downtimes)
    assert (gap.cost["reasons"], gap.cost["missed"]) == ({"goal_met": 1, "too_late": 1}, [])


def test_a_downtime_is_told_once_however_often_the_worker_starts(back: Shop, caplog: pytest.LogCaptureFixture) -> None:
    begin(back, NOON4)
    begin(back, "2026-03-05T11:00:20Z")
    assert sum("nobody worked" in record.message for record in caplog.records) == 1
    assert len(back.rows(downtimes)) == 1


def test_a_start_that_dies_before_it_has_told_is_followed_by_one_that_does(
    back: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(starting, "account", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            begin(back, NOON4)
    assert "nobody worked" not in caplog.text
    begin(back, "2026-03-05T11:00:20Z")
    assert "nobody worked" in caplog.text
    assert back.rows(downtimes)[0].cost["expired"] == 2


def test_a_minute_of_absence_is_no_downtime(shop: Shop) -> None:
    shop.write(care=playbook())
    begin(shop, NOON1)
    begin(shop, "2026-03-02T11:59:00Z")
    assert shop.rows(downtimes) == []
    assert [row.seen_at for row in shop.rows(workers)] == [at("2026-03-02T11:59:00Z")]


def test_a_machine_that_slept_counts_as_downtime_without_a_start(shop: Shop) -> None:
    shop.write(care=playbook())
    begin(shop, NOON1)
    with shop.database.writing() as connection:
        life.sign(connection, "another:1", at("2026-03-02T14:00:00Z"))
        life.sign(connection, "third:1", at("2026-03-02T14:00:00Z"))
    assert [(row.began_at, row.ended_at) for row in shop.rows(downtimes)] == [
        (at(NOON1), at("2026-03-02T14:00:00Z")),
    ]


def test_lost_calls_are_looked_after_before_the_run_and_the_run_is_done_before_anything_is_sent(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write(care=playbook(step("one") + step("two")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    lost = {"status": "sending", "worker": "gone", "lease_until": at(NOON1), "attempts": 1, "fence": 1}
    lost |= {"provider": "sandbox_email", "batch": "b", "first_used_at": at(NOON1)}
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(**lost))
    seen: list[Any] = []
    tick = daily.tick

    def look(*given: Any) -> Any:
        seen.append(ends(shop)["ada"][0])
        return tick(*given)

    monkeypatch.setattr("automation.worker.scheduler.tick", look)
    begin(shop, "2026-03-03T08:00:00Z")
    assert seen == ["planned"]  # the second step follows an unknown first one
    assert [(row.step, row.status) for row in shop.rows()] == [("one", "unknown"), ("two", "planned")]
    assert [row.status for row in shop.rows(runs)] == ["done", "done"]
    assert shop.log() == []


def test_a_run_that_cannot_be_done_does_not_keep_back_for_ever_what_is_due(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    tried: list[int] = []

    def fail(*_: Any) -> Any:
        tried.append(len(shop.log()))
        raise RuntimeError

    monkeypatch.setattr("automation.worker.scheduler.tick", fail)
    monkeypatch.setattr(starting, "PATIENCE", timedelta(seconds=0.3))
    monkeypatch.setattr(starting, "TRY_AGAIN", timedelta(seconds=0.1))
    worker = begin(shop, "2026-03-03T06:00:00Z")
    assert set(tried) == {0}
    assert len(tried) >= 2
    assert "today's run cannot be done" in caplog.text
    worker.clock = lambda: at("2026-03-02T12:00:00Z")
    worker.dispatch()
    assert ends(shop) == {"ada": ("sent", None)}


def test_broken_files_are_waited_for_and_no_sign_of_life_is_given_meanwhile(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    template = shop.folder / "templates/hello/hello.en.md"
    good = template.read_text(encoding="utf-8")
    template.write_text('+++\nsubject = "Hello"\n+++\nHello {{ nobody | }}\n', encoding="utf-8")
    monkeypatch.setattr(starting, "TRY_AGAIN", timedelta(seconds=0.05))
    mending = threading.Timer(0.3, template.write_text, [good])
    mending.start()
    begin(shop, NOON1)
    mending.join()
    assert [row.status for row in shop.rows(runs)] == ["done"]
    assert [(row.kind, row.closed_at is not None) for row in shop.rows(incidents)] == [("files_broken", True)]


def test_a_worker_told_to_stop_during_its_start_begins_no_further_step(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    stopping = threading.Event()
    stopping.set()
    begin(shop, NOON1, stopping=stopping)
    assert shop.rows(runs) == []


def test_a_database_of_another_revision_or_damaged_after_a_crash_is_not_touched(shop: Shop) -> None:
    shop.write(care=playbook())
    alive(shop, NOON1)
    with shop.database.writing() as connection:
        connection.execute(text("DROP TABLE outcomes"))
    with pytest.raises(DatabaseDamaged, match="restore a backup"):
        begin(shop, "2026-03-02T11:01:00Z")
    with shop.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(WrongSchema):
        begin(shop, "2026-03-02T11:01:00Z")
    assert shop.rows(attempts) == []


def test_after_a_clean_stop_the_file_is_not_looked_through(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(care=playbook())
    looked: list[Any] = []

    def look(database: Database) -> list[str]:
        looked.append(database)
        return quick_check(database)

    monkeypatch.setattr(starting, "quick_check", look)
    worker = begin(shop, NOON1)
    with shop.database.writing() as connection:
        life.leave(connection, worker.name, at(NOON1))
    begin(shop, NOON1)
    assert looked == []
    begin(shop, NOON1)  # the one before it never said that it had stopped
    assert len(looked) == 1


def minutes(number: float, downtime: timedelta = timedelta(days=3)) -> float:
    started = datetime(2026, 3, 2, 11, tzinfo=at(NOON1).tzinfo)
    return share(started, downtime, started + timedelta(minutes=number))


def test_the_ramp_doubles_each_minute_from_a_tenth_to_the_whole_rate() -> None:
    assert [minutes(one) for one in (0, 0.9, 1, 2, 3, 3.9, 4, 60, 1e6)] == [0.1, 0.1, 0.2, 0.4, 0.8, 0.8, 1, 1, 1]
    assert minutes(0, timedelta(minutes=59)) == 1
    assert minutes(-60) == 1  # a clock that went back


def test_a_worker_that_crashes_on_the_ramp_goes_on_where_the_time_says(back: Shop) -> None:
    begin(back, NOON4)
    worker = begin(back, "2026-03-05T11:02:30Z")
    assert worker._share()() == 0.4  # noqa: SLF001 (what the worker hands to its dispatch)
