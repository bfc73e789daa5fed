import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from automation import clock
from automation.values import Window, window

VECTORS = Path(__file__).parents[1] / ".." / "shared" / "data" / "time_vectors.json"
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)

ROME, APIA, KOLKATA = ZoneInfo("Europe/Rome"), ZoneInfo("Pacific/Apia"), ZoneInfo("Asia/Kolkata")
LONDON, AUCKLAND = ZoneInfo("Europe/London"), ZoneInfo("Pacific/Auckland")
BY_DAY = Window(time(9), time(20))

# Clock changes of each kind: gaps, overlaps, at midnight and over it, of half an hour, of two hours, for good,
# of a whole day, and with winter time as the exception (Dublin, Casablanca).
CHANGES = [
    (ZoneInfo(name), datetime.fromisoformat(instant))
    for name, instant in [
        ("Europe/Rome", "2026-03-29T01:00Z"),
        ("Europe/Rome", "2026-10-25T01:00Z"),
        ("America/New_York", "2026-11-01T06:00Z"),
        ("Europe/Dublin", "2026-10-25T01:00Z"),
        ("Africa/Casablanca", "2026-02-15T02:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T15:30Z"),
        ("Australia/Lord_Howe", "2026-04-04T15:00Z"),
        ("America/Sao_Paulo", "2018-11-04T03:00Z"),
        ("America/Sao_Paulo", "2018-02-18T02:00Z"),
        ("America/St_Johns", "2006-10-29T02:31Z"),
        ("Antarctica/Troll", "2026-03-29T01:00Z"),
        ("Asia/Kathmandu", "1985-12-31T18:30Z"),
        ("Asia/Pyongyang", "2018-05-04T15:00Z"),
        ("Europe/Moscow", "2014-10-25T22:00Z"),
        ("Pacific/Apia", "2011-12-30T10:00Z"),
        ("Pacific/Kwajalein", "1993-08-21T12:00Z"),
    ]
]

minutes_of_a_day = st.builds(time, st.integers(0, 23), st.integers(0, 59))
windows = st.builds(Window, minutes_of_a_day, minutes_of_a_day).filter(lambda pair: pair.start != pair.end)
near_a_change = st.builds(
    lambda change, seconds: (change[0], change[1] + timedelta(seconds=seconds)),
    st.sampled_from(CHANGES),
    st.one_of(st.integers(-3 * 3600, 3 * 3600), st.integers(-36 * 3600, 36 * 3600)),
)


def vectors(kind: str) -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the shared time vectors are not on this machine"))]
    found = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in found if vector["kind"] == kind]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def minutes_from(start: datetime, end: datetime) -> list[datetime]:
    """`start` and every whole minute after it, before `end`: clock changes and windows begin on a whole minute."""
    found, minute = [], start
    while minute < end:
        found.append(minute)
        minute = minute.replace(second=0) + MINUTE
    return found


def wall(now: datetime, zone: ZoneInfo) -> datetime:
    return now.astimezone(zone).replace(tzinfo=None)


@pytest.mark.parametrize("vector", vectors("next_allowed"))
def test_the_next_opening_is_the_one_in_the_shared_vectors(vector: dict[str, Any]) -> None:
    zone = ZoneInfo(vector["zone"])
    assert clock.next_opening(at(vector["now"]), window(vector["window"]), [zone]) == at(vector["expected"])


@pytest.mark.parametrize("vector", vectors("local_to_utc"))
def test_a_wall_time_is_the_instant_in_the_shared_vectors(vector: dict[str, Any]) -> None:
    policy = {"unique": "utc", "gap": "first_instant_after_gap", "overlap": "utc_first"}[vector["class"]]
    assert clock.to_utc(at(vector["local"]), ZoneInfo(vector["zone"])) == at(vector[policy])


@pytest.mark.parametrize("vector", vectors("local_day"))
def test_a_local_day_is_the_one_in_the_shared_vectors(vector: dict[str, Any]) -> None:
    found = clock.local_day(date.fromisoformat(vector["date"]), ZoneInfo(vector["zone"]))
    assert found == ((at(vector["first_instant"]), at(vector["end_instant"])) if vector["exists"] else None)


@pytest.mark.parametrize("vector", vectors("days_between"))
def test_days_between_are_the_calendar_days_in_the_shared_vectors(vector: dict[str, Any]) -> None:
    found = clock.days_between(at(vector["earlier"]), at(vector["later"]), ZoneInfo(vector["zone"]))
    assert found == vector["calendar_days"]


@given(near_a_change, windows)
@example((ROME, at("2026-03-28T23:30Z")), Window(time(2, 15), time(2, 45)))
def test_no_open_minute_comes_before_the_next_opening(place: tuple[ZoneInfo, datetime], hours: Window) -> None:
    zone, now = place
    opening = clock.next_opening(now, hours, [zone])
    assert opening is not None
    assert opening >= now
    assert clock.is_open(opening, hours, [zone])
    assert not any(clock.is_open(minute, hours, [zone]) for minute in minutes_from(now, opening))


@given(near_a_change, windows, st.sets(st.sampled_from([zone for zone, _ in CHANGES]), max_size=3))
def test_several_zones_open_at_their_first_common_minute(
    place: tuple[ZoneInfo, datetime], hours: Window, others: set[ZoneInfo]
) -> None:
    zone, now = place
    zones = [zone, *others]
    opening = clock.next_opening(now, hours, zones)
    searched = minutes_from(now, opening or now + 3 * DAY)
    assert opening is None or (opening >= now and clock.is_open(opening, hours, zones))
    assert not any(clock.is_open(minute, hours, zones) for minute in searched)


@given(near_a_change, windows)
def test_a_window_stays_open_for_every_minute_until_it_closes(place: tuple[ZoneInfo, datetime], hours: Window) -> None:
    zone, now = place
    assume(clock.is_open(now, hours, [zone]))
    closing = clock.stays_open_until(now, hours, [zone])
    assert all(clock.is_open(minute, hours, [zone]) for minute in minutes_from(now, closing))
    assert not clock.is_open(closing, hours, [zone])


@given(near_a_change)
def test_an_instant_survives_the_way_over_its_wall_time_unless_that_came_before(
    place: tuple[ZoneInfo, datetime],
) -> None:
    zone, now = place
    back = clock.to_utc(wall(now, zone), zone)
    assert wall(back, zone) == wall(now, zone)
    assert back <= now


@given(near_a_change, st.timedeltas(-DAY, DAY))
def test_a_wall_time_is_itself_or_the_end_of_the_gap_it_fell_into(
    place: tuple[ZoneInfo, datetime], shift: timedelta
) -> None:
    zone, now = place
    local = wall(now, zone) + shift
    instant = clock.to_utc(local, zone)
    just_before = instant - timedelta(microseconds=1)
    assert wall(instant, zone) == local or wall(just_before, zone) < local < wall(instant, zone)


@given(near_a_change)
def test_local_days_adjoin_and_begin_with_their_own_first_minute(place: tuple[ZoneInfo, datetime]) -> None:
    zone, now = place
    day = clock.local_date(now, zone)
    found = clock.local_day(day, zone)
    assert found is not None
    assert clock.local_date(found[0], zone) == day
    assert clock.local_date(found[0] - MINUTE, zone) < day
    assert found[1] == clock.day_start(day + DAY, zone)


@given(near_a_change, minutes_of_a_day)
def test_the_latest_run_date_is_the_last_whose_hour_has_come(place: tuple[ZoneInfo, datetime], hour: time) -> None:
    zone, now = place
    newest = clock.latest_run_date(now, zone, hour)
    around = [clock.local_date(now, zone) + count * DAY for count in range(-4, 3)]
    real = [day for day in around if clock.local_day(day, zone)]
    assert newest == max(day for day in real if clock.to_utc(datetime.combine(day, hour), zone) <= now)


@given(near_a_change, minutes_of_a_day, windows)
def test_a_preferred_hour_is_the_first_allowed_instant_after_it_has_come(
    place: tuple[ZoneInfo, datetime], hour: time, hours: Window
) -> None:
    zone, now = place
    around = [clock.local_date(now, zone) + count * DAY for count in range(-2, 4)]
    real = [day for day in around if clock.local_day(day, zone)]
    come = min(instant for day in real if (instant := clock.to_utc(datetime.combine(day, hour), zone)) >= now)
    assert clock.preferred(now, hour, hours, [zone]) == clock.next_opening(come, hours, [zone])


def test_a_preferred_hour_that_has_passed_today_is_tomorrows() -> None:
    found = clock.preferred(at("2026-07-01T08:00:01Z"), time(10), BY_DAY, [ROME])
    assert found == at("2026-07-02T08:00Z")


def test_a_preferred_hour_outside_the_window_waits_for_the_window() -> None:
    found = clock.preferred(at("2026-07-01T12:00Z"), time(21, 30), BY_DAY, [ROME])
    assert found == at("2026-07-02T07:00Z")


def test_yesterdays_preferred_hour_comes_now_when_it_fell_into_a_gap_over_midnight() -> None:
    toronto, end_of_the_gap = ZoneInfo("America/Toronto"), at("1919-03-31T04:30Z")
    assert wall(end_of_the_gap, toronto) == datetime(1919, 3, 31, 0, 30)  # noqa: DTZ001 - a wall time
    found = clock.preferred(end_of_the_gap, time(23, 45), Window(time(22), time(6)), [toronto])
    assert found == end_of_the_gap


def test_a_preferred_midnight_is_an_hour_like_any_other() -> None:
    found = clock.preferred(at("2026-07-01T12:00Z"), time(0), Window(time(22), time(6)), [ROME])
    assert found == at("2026-07-01T22:00Z")


def test_without_a_preferred_hour_an_open_window_means_now() -> None:
    now = at("2026-07-01T12:00:00.123456Z")
    assert clock.preferred(now, None, BY_DAY, [ROME]) == now


def test_a_preferred_hour_is_the_first_zones_and_the_window_is_everyones() -> None:
    found = clock.preferred(at("2026-07-01T00:00Z"), time(10), BY_DAY, [KOLKATA, LONDON])
    assert found == at("2026-07-01T08:00Z")


def test_a_window_that_opens_in_one_zone_when_it_has_closed_in_the_other_never_opens() -> None:
    assert clock.next_opening(at("2026-07-01T12:00Z"), Window(time(9), time(17)), [ROME, AUCKLAND]) is None


def test_a_window_closes_with_the_first_zone_that_closes() -> None:
    assert clock.stays_open_until(at("2026-07-01T09:00Z"), BY_DAY, [LONDON, KOLKATA]) == at("2026-07-01T14:30Z")


def test_a_closed_window_stays_open_until_now() -> None:
    now = at("2026-07-01T02:00Z")
    assert clock.stays_open_until(now, BY_DAY, [ROME]) == now


def test_a_window_of_the_night_closes_for_the_skipped_hour_and_not_before() -> None:
    night = Window(time(22), time(2, 30))
    assert clock.stays_open_until(at("2026-03-28T23:00Z"), night, [ROME]) == at("2026-03-29T01:00Z")


def test_a_day_start_of_a_skipped_day_is_that_of_the_next() -> None:
    assert clock.day_start(date(2011, 12, 30), APIA) == clock.day_start(date(2011, 12, 31), APIA)


def test_a_skipped_date_is_never_run() -> None:
    first_minutes_of_the_31st = at("2011-12-30T10:05Z")
    assert clock.latest_run_date(first_minutes_of_the_31st, APIA, time(6)) == date(2011, 12, 29)


def test_an_hour_before_it_is_time_the_latest_run_date_is_yesterday() -> None:
    assert clock.latest_run_date(at("2026-07-01T03:00Z"), ROME, time(6)) == date(2026, 6, 30)
    assert clock.latest_run_date(at("2026-07-01T04:00Z"), ROME, time(6)) == date(2026, 7, 1)


def test_minutes_of_the_old_day_that_come_again_belong_to_the_new_one() -> None:
    st_johns = ZoneInfo("America/St_Johns")
    saturday = clock.local_day(date(2006, 10, 28), st_johns)
    sunday = clock.local_day(date(2006, 10, 29), st_johns)
    assert saturday is not None
    assert sunday is not None
    assert saturday[1] == sunday[0] == at("2006-10-29T02:30Z")


def test_a_customer_with_a_zone_is_in_that_zone_alone() -> None:
    assert clock.zones_of("Asia/Kolkata", "US", ROME) == (KOLKATA,)


@pytest.mark.parametrize("name", [None, "", "Europe", "Rome", "../Rome", "/etc/passwd", "Europe/Rome\0", "x" * 5000])
def test_a_zone_nobody_knows_gives_way_to_the_country(name: str | None) -> None:
    assert clock.zones_of(name, "in", ROME) == (KOLKATA,)


def test_a_country_of_several_zones_gives_them_all() -> None:
    found = {zone.key for zone in clock.zones_of(None, "US", ROME)}
    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= found


@pytest.mark.parametrize("country", [None, "", "XX", "001", "Italy"])
def test_a_customer_without_zone_and_country_lives_where_the_business_does(country: str | None) -> None:
    assert clock.zones_of(None, country, ROME) == (ROME,)


def test_the_wall_clock_is_in_utc() -> None:
    assert clock.wall_clock().tzinfo is UTC
