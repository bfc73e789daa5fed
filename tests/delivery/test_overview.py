"""How things stand: the day's messages, what is open, and whether the daily run was done; on both databases."""

from collections import Counter
from datetime import date

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import delete, insert, update

from automation.database.work import provider_health, runs, workers
from automation.delivery.overview.day import Day, day_since, due_next
from automation.delivery.overview.providers import Answers, answers_of, other_pauses, providers_now
from automation.delivery.overview.waiting import Open, open_messages
from automation.delivery.overview.work import Duty, duty, last_completed, latest_runs, worker_lives, working

MORNING, NOON = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"  # six and twelve in Rome
START = at("2026-03-01T23:00:00Z")


def day(shop: Shop) -> Day:
    with shop.database.reading() as connection:
        return day_since(connection, START)


def duty_at(shop: Shop, now: str) -> Duty:
    with shop.database.reading() as connection:
        return duty(connection, shop.settings, at(now))


@pytest.fixture
def planned(shop: Shop) -> Shop:
    """Three customers get an email at ten and a text at noon; Bob has no consent to the text."""
    texts = step("two", "hello/text", "sms", at="12:00", late_by="3 days")
    shop.write(care=playbook(step("one", at="10:00", late_by="3 days")), help=playbook(texts))
    shop.customers("ann", "cid")
    shop.customers("bob", sms_consent=False)
    shop.evaluate(MORNING)
    return shop


def test_the_days_messages_are_counted_by_hour_playbook_and_state(planned: Shop) -> None:
    planned.send("2026-03-02T09:00:00Z")
    found = {(one.quarter, one.playbook, one.channel, one.status): one.messages for one in day(planned).counts}
    assert found == {
        (at("2026-03-02T09:00:00Z"), "care", "email", "sent"): 3,
        (at("2026-03-02T11:00:00Z"), "help", "sms", "planned"): 2,
        (at(MORNING), "help", "sms", "skipped"): 1,
    }
    assert day(planned).statuses == Counter(sent=3, planned=2, skipped=1)


def test_what_waits_and_what_was_not_sent_is_told_by_its_reason(planned: Shop) -> None:
    planned.pause("playbook:care")
    planned.send("2026-03-02T09:00:00Z")
    assert day(planned).held == Counter(playbook_paused=3)
    assert day(planned).not_sent == Counter(no_consent=1)


def test_messages_of_earlier_days_are_not_the_days(planned: Shop) -> None:
    with planned.database.reading() as connection:
        assert day_since(connection, at("2026-03-02T23:00:00Z")).counts == ()


def test_what_is_due_next_is_told_by_quarter_and_playbook_until_a_moment(planned: Shop) -> None:
    with planned.database.reading() as connection:
        soon = due_next(connection, at(MORNING), at("2026-03-02T10:00:00Z"))
        later = due_next(connection, at(MORNING), at("2026-03-03T05:00:00Z"))
    assert [(one.quarter, one.playbook, one.channel, one.messages) for one in soon] == [
        (at("2026-03-02T09:00:00Z"), "care", "email", 3)
    ]
    assert [one.playbook for one in later] == ["care", "help"]


def test_open_messages_are_counted_and_the_oldest_due_is_found(planned: Shop) -> None:
    with planned.database.reading() as connection:
        assert open_messages(connection, at(MORNING)) == Open(5, 0, 0, None)
        assert open_messages(connection, at(NOON)) == Open(5, 0, 0, at("2026-03-02T09:00:00Z"))


def test_a_new_shop_has_never_been_evaluated(shop: Shop) -> None:
    shop.write(care=playbook())
    assert duty_at(shop, NOON) == Duty(date(2026, 3, 2), at(MORNING), "never")


def test_a_run_that_was_done_needs_nobody_until_the_next_ones_hour_and_its_grace_have_passed(planned: Shop) -> None:
    states = [duty_at(planned, now).state for now in (NOON, "2026-03-03T05:10:00Z", "2026-03-03T05:16:00Z")]
    assert states == ["done", "due", "missing"]
    assert [duty_at(planned, now).needs_somebody for now in (NOON, "2026-03-03T05:16:00Z")] == [False, True]


def test_a_run_that_takes_longer_than_an_hour_needs_somebody(planned: Shop) -> None:
    with planned.database.writing() as connection:
        connection.execute(update(runs).values(status="running"))
    assert duty_at(planned, "2026-03-02T05:30:00Z").state == "running"
    assert duty_at(planned, "2026-03-02T06:30:00Z").state == "stuck"


def test_a_date_that_was_given_up_needs_somebody(planned: Shop) -> None:
    with planned.database.writing() as connection:
        connection.execute(update(runs).values(status="missed"))
    assert duty_at(planned, NOON).needs_somebody


def test_a_run_tells_what_it_changed_and_how_long_it_took(planned: Shop) -> None:
    with planned.database.reading() as connection:
        (run,) = latest_runs(connection, 5)
        assert last_completed(connection) == at(MORNING)
    assert (run.date, run.status, run.summary["planned"]) == (date(2026, 3, 2), "done", 6)  # one of them ended at once
    assert run.seconds is not None
    assert 0 < run.seconds < 60


def test_a_providers_answers_of_the_last_hour_are_counted_and_its_calls_timed(planned: Shop) -> None:
    planned.send("2026-03-02T09:00:00Z")
    with planned.database.reading() as connection:
        soon = {one.key: one for one in providers_now(connection, planned.settings, at("2026-03-02T09:30:00Z"))}
        later = answers_of(connection, "sandbox_email", at(NOON))
    email = soon["sandbox_email"]
    assert (email.state, email.share, email.answers.replies) == ("fit", 1.0, {"accepted": 3})
    assert len(email.answers.seconds) == 1  # one call took all three
    assert soon["sandbox_sms"].answers.last is None
    assert (later.replies, later.quantile(0.5)) == ({}, None)
    assert later.last is not None
    assert later.last.reply == "accepted"


def test_a_pause_and_a_slowed_rate_are_told(planned: Shop) -> None:
    planned.pause("provider:sandbox_sms")
    planned.pause("everything")
    with planned.database.writing() as connection:
        slow = {"provider": "sandbox_email", "proven": True, "share": 0.25, "slowed_at": at(NOON)}
        connection.execute(insert(provider_health), slow)
        found = {one.key: one for one in providers_now(connection, planned.settings, at(NOON))}
        others = other_pauses(connection, at(NOON))
    assert (found["sandbox_sms"].state, found["sandbox_email"].state) == ("paused", "slowed")
    assert found["sandbox_email"].share == 0.25
    assert [one.scope for one in others] == ["everything"]


def test_quantiles_are_those_of_the_calls() -> None:
    answers = Answers({}, {}, [0.1, 0.2, 0.3, 0.4, 9.0], None)
    assert [answers.quantile(share) for share in (0.5, 0.8, 0.95)] == [0.3, 0.4, 9.0]


def test_a_worker_is_silent_when_its_signs_stop_and_stopped_when_it_said_so(shop: Shop) -> None:
    row = {"name": "far-away:1", "started_at": at(MORNING), "seen_at": at(MORNING)}
    told = []
    with shop.database.writing() as connection:
        told.append(working(worker_lives(connection, at(MORNING))))
        connection.execute(insert(workers), row)
        told += [working(worker_lives(connection, at(now))) for now in ("2026-03-02T05:01:00Z", NOON)]
        connection.execute(update(workers).values(stopped_at=at(MORNING)))
        told.append(working(worker_lives(connection, at("2026-03-02T05:01:00Z"))))
        connection.execute(delete(workers))
    assert told == ["none", "alive", "silent", "stopped"]


def test_one_worker_that_lives_is_enough(shop: Shop) -> None:
    rows = [
        {"name": "far-away:1", "started_at": at(MORNING), "seen_at": at(MORNING)},
        {"name": "far-away:2", "started_at": at(MORNING), "seen_at": at(NOON)},
    ]
    with shop.database.writing() as connection:
        connection.execute(insert(workers), rows)
        lives = worker_lives(connection, at(NOON))
    assert [one.state for one in lives] == ["alive", "silent"]
    assert working(lives) == "alive"
