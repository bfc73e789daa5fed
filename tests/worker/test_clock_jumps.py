"""A clock that jumps doubles nothing and loses nothing beyond `late_by`; no zone's clock change lets a message out of
its window.
"""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from shop import Shop, at, playbook, step

from automation.clock import is_open, next_opening, preferred, stays_open_until
from automation.database.work import runs
from automation.delivery.verify import verify
from automation.values import Window
from automation.worker import runs as daily

BEFORE, DAY1, NOON1 = "2026-03-02T10:00:00Z", "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
TOMORROW, NEXT_NOON = "2026-03-03T11:00:00Z", "2026-03-03T11:30:00Z"
DAY = timedelta(days=1)


@pytest.fixture(params=["postmark", "resend"])
def due(shop: Shop, request: pytest.FixtureRequest) -> Shop:
    shop.kind = request.param
    shop.write(care=playbook(step("one") + step("two", after="1 days", at="10:00")))
    shop.customers("ada", "bob")
    tick(shop, DAY1)
    return shop


def tick(shop: Shop, now: str) -> None:
    daily.tick(shop.database, shop.settings, shop.book, "w", at(now))


def round_of_work(shop: Shop, now: str) -> None:
    tick(shop, now)
    shop.send(now)


def taken(shop: Shop) -> Counter[tuple[str, str]]:
    steps = {str(row.message_id): row.step for row in shop.rows()}
    return Counter((one["recipient"], steps[one["mid"]]) for one in shop.log())


def test_an_hour_backwards_doubles_nothing(due: Shop) -> None:
    for now in (NOON1, BEFORE, "2026-03-02T10:30:00Z", NOON1, "2026-03-02T12:00:00Z"):
        round_of_work(due, now)
    assert set(taken(due).values()) == {1}
    assert len(due.log()) == 2
    assert [row.date.day for row in due.rows(runs)] == [2]
    assert verify(due.database, due.settings).ok


def test_an_hour_backwards_in_mid_retry_doubles_nothing_and_loses_nothing(due: Shop) -> None:
    due.fault(answer=429, kind=due.kind, times=1)
    due.send(NOON1)
    assert due.log() == []
    for now in (BEFORE, "2026-03-02T10:30:00Z", "2026-03-02T11:30:00Z", "2026-03-02T12:30:00Z"):
        round_of_work(due, now)
    assert set(taken(due).values()) == {1}
    assert len(due.log()) == 2
    assert verify(due.database, due.settings).ok


def test_a_day_forwards_and_back_doubles_nothing(due: Shop) -> None:
    round_of_work(due, NOON1)
    round_of_work(due, TOMORROW)
    sent = taken(due)
    assert len(due.log()) == 4
    for now in (NOON1, "2026-03-02T16:00:00Z", "2026-03-03T06:00:00Z", NEXT_NOON):
        round_of_work(due, now)
    assert taken(due) == sent
    assert [(row.date.day, row.status) for row in due.rows(runs)] == [(2, "done"), (3, "done")]


def test_two_days_forwards_and_back_is_settled_without_a_run_of_the_past(due: Shop) -> None:
    tick(due, "2026-03-04T11:00:00Z")
    tick(due, TOMORROW)  # this date counts as missed by now
    assert daily.is_settled(due.database, due.settings, at(TOMORROW))
    assert [(row.date.day, row.status) for row in due.rows(runs)] == [(2, "done"), (3, "missed"), (4, "done")]


def test_what_a_forward_jump_passed_over_ends_only_beyond_late_by(due: Shop) -> None:
    round_of_work(due, "2026-03-03T06:30:00Z")  # due at seven the day before, late by half an hour less than a day
    assert Counter(row.status for row in due.rows() if row.step == "one") == {"planned": 2}
    round_of_work(due, "2026-03-03T07:00:00Z")
    assert Counter(row.status for row in due.rows() if row.step == "one") == {"sent": 2}


def test_beyond_late_by_it_has_expired(due: Shop) -> None:
    round_of_work(due, TOMORROW)
    assert Counter(row.status for row in due.rows() if row.step == "one") == {"expired": 2}
    assert due.log() == []


@cache
def changes() -> dict[tuple[datetime, timedelta, timedelta], ZoneInfo]:
    """One zone for each clock change of 2026: by its instant and the offsets before and after it."""
    found = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        days = [datetime(2026, 1, 1, tzinfo=UTC) + DAY * number for number in range(366)]
        for day in days[:-1]:
            if offset(day, zone) != offset(day + DAY, zone):
                moment = change_after(day, zone)
                found[moment, offset(day, zone), offset(day + DAY, zone)] = zone
    return found


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def change_after(day: datetime, zone: ZoneInfo) -> datetime:
    before = offset(day, zone)
    minutes = (day + timedelta(minutes=number) for number in range(24 * 60 + 1))
    return next(moment for moment in minutes if offset(moment, zone) != before)


WINDOWS = (Window(time(8), time(21)), Window(time(1, 30), time(2, 30)), Window(time(22), time(2, 30)))


@pytest.mark.parametrize("window", WINDOWS)
def test_no_clock_change_of_the_year_lets_a_message_out_of_its_window(window: Window) -> None:
    for (change, _, _), zone in changes().items():
        for minutes in range(-26 * 60, 26 * 60, 95):
            moment = change + timedelta(minutes=minutes)
            opening = next_opening(moment, window, [zone])
            assert opening is not None
            assert moment <= opening <= moment + DAY * 2
            assert is_open(opening, window, [zone])
            assert opening == moment or not is_open(opening - timedelta(seconds=1), window, [zone])
            closing = stays_open_until(opening, window, [zone])
            assert not is_open(closing, window, [zone])
            assert is_open(closing - timedelta(seconds=1), window, [zone])
            wished = preferred(moment, time(2, 15), window, [zone])
            assert wished is not None
            assert is_open(wished, window, [zone])


def test_the_year_has_the_changes_that_are_looked_at() -> None:
    assert len(changes()) > 20
