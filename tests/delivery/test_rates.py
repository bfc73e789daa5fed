"""How fast we post: slots in rows that all workers share, and what a provider that asks for patience is given."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import update

from automation.database.engine import Database, connect
from automation.database.schema import messages
from automation.database.work import incidents, pauses, provider_health
from automation.delivery.health.rates import SLOWEST, reserve, share_of, slow_down, slowed
from automation.delivery.health.standing import Standing, standing_of
from automation.settings import Provider

DAY1, NOON1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T15:00:00Z"
WALL = at("2030-01-01T00:00:00Z")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TEN_A_SECOND = Provider.model_validate({"kind": "postmark", "rate": "10/second"})


def reserved(database: Database, count: int, wall: datetime) -> Sequence[datetime]:
    with database.writing() as connection:
        share = share_of(standing_of(connection, "one"), wall)
        return reserve(connection, "one", TEN_A_SECOND.rate, share, count, wall)


def goes_on(start: str) -> Callable[[], datetime]:
    """A clock that starts then."""
    began = time.monotonic()
    return lambda: at(start) + timedelta(seconds=time.monotonic() - began)


def planned(shop: Shop, count: int, **keys: object) -> None:
    """So many messages for as many people, one a call."""
    shop.batch = 1
    shop.write(care=playbook(step("one", late_by="2 days"), **keys))
    shop.customers(*(f"c{number:02}" for number in range(count)))
    shop.evaluate(DAY1)


def test_whoever_asks_gets_the_next_slots_and_nobody_gets_the_same(database: Database) -> None:
    first, second = reserved(database, 5, WALL), reserved(database, 5, WALL + SECOND / 10)
    got = [*first, *second]
    assert got[0] == WALL
    assert {later - earlier for earlier, later in pairwise(got)} == {timedelta(milliseconds=105)}


def test_slots_that_nobody_took_are_lost_and_not_made_up_for(database: Database) -> None:
    reserved(database, 5, WALL)
    assert reserved(database, 2, WALL + MINUTE)[0] == WALL + MINUTE


def test_a_clock_that_was_days_ahead_does_not_stop_the_sending(database: Database) -> None:
    reserved(database, 5, WALL + timedelta(days=30))
    assert reserved(database, 1, WALL) == [WALL]


def test_two_workers_together_keep_the_rate_of_one(shop: Shop, database_url: str) -> None:
    shop.rate = "40/second"
    planned(shop, 50)
    other = Shop(shop.folder, connect(database_url), shop.url, batch=1, rate=shop.rate)
    with ThreadPoolExecutor(2) as both:
        told = list(both.map(lambda one: one[0].send(NOON1, one[1]), ((shop, "one"), (other, "two"))))
    other.database.close()
    assert sum(one["sent"] for one in told) == 50
    taken = [datetime.fromisoformat(one["at"]) for one in shop.log()]
    assert len({one["mid"] for one in shop.log()}) == 50
    busiest = max(sum(start <= one < start + SECOND for one in taken) for start in taken)
    assert busiest <= 48  # some arrive late, and then together; each with a rate of its own they would be 50
    assert taken[-1] - taken[0] > SECOND


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [
        ("600", 600, 600),
        (format_datetime(at(NOON1) + 10 * MINUTE), 600, 600),
        (format_datetime(at(NOON1) - 10 * MINUTE), 2, 2),
        ("0", 2, 2),
        ("1000000000", 3600, 3600),
        (format_datetime(at(NOON1) + timedelta(days=900)), 3600, 3600),
        ("soon; -1e9", 2, 2),
    ],
    ids=["seconds", "date", "past", "nothing", "huge", "far", "garbage"],
)
def test_a_provider_that_wants_patience_gets_it_from_all(shop: Shop, retry_after: str, least: int, most: int) -> None:
    planned(shop, 6)
    shop.fault(answer=429, retry_after=retry_after, times=1000, kind="postmark")
    assert shop.send(NOON1)["sent"] == 0
    for worker in ("two", "three"):
        assert shop.send(NOON1, worker)["sent"] == 0
    assert shop.faults_left() == 999  # asked once, by nobody again
    (pause,) = shop.rows(pauses)
    assert least * SECOND <= pause.until - at(NOON1) <= most * SECOND
    assert pause.reason == "throttled"
    assert all(at(NOON1) < row.due_at <= at(NOON1) + most * SECOND + MINUTE for row in shop.rows())
    assert [row.share for row in shop.rows(provider_health)] == [0.5]
    assert shop.rows(incidents) == []  # it is busy, not broken
    shop.mended()
    assert shop.send(LATER)["sent"] == 6


def test_messages_put_off_together_do_not_come_back_together(shop: Shop) -> None:
    planned(shop, 20)
    shop.batch = 500
    shop.write()
    shop.fault(answer=429, retry_after="600", kind="postmark")
    shop.send(NOON1)
    due = {row.due_at for row in shop.rows()}
    assert min(due) > at(NOON1) + 10 * MINUTE
    assert max(due) - min(due) > 10 * SECOND


def test_an_hour_of_refusals_to_listen_is_no_hot_loop(shop: Shop) -> None:
    planned(shop, 12)
    shop.fault(answer=429, times=1000, kind="postmark")
    clock, ends = goes_on(NOON1), time.monotonic() + 1.5
    while time.monotonic() < ends:
        shop.send_by(clock)
    assert 1000 - shop.faults_left() <= 2


def test_the_rate_is_halved_once_for_calls_that_were_under_way_together() -> None:
    standing = Standing("one")
    slow_down(standing, WALL, WALL + SECOND)
    slow_down(standing, WALL, WALL + 2 * SECOND)
    assert share_of(standing, WALL + 2 * SECOND) == pytest.approx(0.5, abs=0.01)
    slow_down(standing, WALL + 3 * SECOND, WALL + 3 * SECOND)
    assert share_of(standing, WALL + 3 * SECOND) == pytest.approx(0.25, abs=0.01)


def test_the_rate_comes_back_by_a_tenth_a_minute_and_never_stops() -> None:
    standing = Standing("one", share=0.5, slowed_at=WALL)
    assert share_of(standing, WALL - MINUTE) == 0.5  # on a machine whose clock is behind
    assert share_of(standing, WALL + 2 * MINUTE) == pytest.approx(0.7)
    assert share_of(standing, WALL + 60 * MINUTE) == 1
    for number in range(100):
        slow_down(standing, WALL + number * SECOND, WALL + number * SECOND)
    assert standing.share == SLOWEST


def test_a_slowed_provider_is_posted_to_at_the_slower_pace(database: Database) -> None:
    reserved(database, 1, WALL - MINUTE)
    with database.writing() as connection:
        connection.execute(update(provider_health).values(share=0.25, slowed_at=WALL))
        assert slowed(connection, {"one": TEN_A_SECOND}, WALL) == {"one": "2.5/second"}
    first, second = reserved(database, 2, WALL)
    assert second - first == timedelta(milliseconds=420)


def test_a_channel_with_little_to_say_does_not_wait_for_one_with_much(shop: Shop) -> None:
    shop.rate = "5/second"
    planned(shop, 12)
    shop.write(text=playbook(step("one", "hello/text", "sms")))
    shop.customers("zoe", email=None, email_consent=None, phone="+12015550199")
    shop.evaluate("2026-03-03T05:00:00Z")
    start = "2026-03-03T11:00:00Z"
    with shop.database.writing() as connection:  # due when the email is under way
        mine = (messages.c.channel == "sms", messages.c.customer_id == "zoe")
        connection.execute(
            update(messages).where(messages.c.channel == "sms").values(due_at=at("2026-03-09T00:00:00Z"))
        )
        connection.execute(update(messages).where(*mine).values(due_at=at(start) + SECOND / 2))
    shop.send_by(goes_on(start))
    kinds = [one["kind"] for one in shop.log()]
    assert kinds.count("twilio") == 1
    assert kinds[-1] == "postmark"
