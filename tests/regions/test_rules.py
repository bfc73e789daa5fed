"""What the rules of countries change: windows, subjects, and who may be written to without a consent."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st
from shop import Shop, playbook, step

from automation.clock import is_open
from automation.delivery.verify import verify
from automation.regions import mark_of, region_of, window_in
from automation.regions.rules import Region, rules
from automation.values import Window
from automation.values import window as read_window

TODAY = date(2026, 11, 27)
walls = st.times(timezones=st.none()).map(lambda one: one.replace(second=0, microsecond=0))
windows = st.builds(Window, walls, walls).filter(lambda one: one.start != one.end)
UTC = ZoneInfo("UTC")


def test_every_rule_names_its_source_countries_and_a_day_that_has_come() -> None:
    known = set(get_global("territory_zones"))
    assert rules().as_of <= TODAY
    for rule in rules().rules:
        assert rule.source
        assert set(rule.countries) <= known
        assert rule.since <= rules().as_of


def test_a_soft_opt_in_is_for_email_only_in_italy_and_for_nothing_in_poland_any_more() -> None:
    assert region_of("IT", TODAY).soft_opt_in == {"email"}
    assert region_of("PL", TODAY).soft_opt_in == set()
    assert region_of("GB", TODAY).soft_opt_in == {"email", "sms"}
    assert region_of(None, TODAY).soft_opt_in == region_of("US", TODAY).soft_opt_in == set()


def test_a_rule_holds_from_its_day_on() -> None:
    assert region_of("CN", date(2006, 3, 29)).mark is None
    assert region_of("CN", date(2006, 3, 30)).mark == "AD"


def test_only_the_subject_of_a_marketing_email_is_marked() -> None:
    assert mark_of("CN", TODAY, "email", "marketing") == "AD"
    assert mark_of("CN", TODAY, "email", "transactional") is None
    assert mark_of("CN", TODAY, "sms", "marketing") is None
    assert mark_of("IT", TODAY, "email", "marketing") is None


@pytest.mark.parametrize(
    ("shops", "there"),
    [
        (("09:00", "20:00"), ("09:00", "20:00")),
        (("07:00", "22:00"), ("08:00", "21:00")),
        (("20:00", "02:00"), ("20:00", "21:00")),
        (("22:00", "23:00"), ("08:00", "21:00")),
    ],
)
def test_the_shops_window_ends_where_the_countrys_does(shops: tuple[str, str], there: tuple[str, str]) -> None:
    assert window_in(region_of("US", TODAY), "sms", read_window(shops)) == read_window(there)
    assert window_in(region_of("US", TODAY), "email", read_window(shops)) == read_window(shops)


@given(windows, windows, walls)
def test_what_is_open_there_is_open_in_both_unless_they_never_meet(shops: Window, theirs: Window, wall: time) -> None:
    there = window_in(Region({"sms": theirs}, None, frozenset()), "sms", shops)
    moment = datetime.combine(TODAY, wall, UTC)
    day = [datetime.combine(TODAY, time.min, UTC) + timedelta(minutes=minute) for minute in range(24 * 60)]
    meet = any(_open(one, shops) and _open(one, theirs) for one in day)
    assert not _open(moment, there) or (_open(moment, theirs) and (_open(moment, shops) or not meet))


def _open(moment: datetime, window: Window) -> bool:
    return is_open(moment, window, (UTC,))


def test_a_text_waits_for_the_morning_that_the_country_prescribes(shop: Shop) -> None:
    shop.sections = "[sms]\nwindow = ['06:00', '23:00']"
    shop.write(care=playbook(step("one", "hello/text", "sms", late_by="3 days")))
    shop.customers("ada", country="US", timezone="America/New_York")
    shop.customers("bob", country="IT", timezone="America/New_York")
    shop.evaluate("2026-03-02T05:00:00Z")
    assert shop.send("2026-03-02T11:30:00Z")["sent"] == 1
    assert shop.send("2026-03-02T13:05:00Z")["sent"] == 1
    assert [one["recipient"] for one in shop.log()] == ["+12015550123"] * 2
    assert verify(shop.database, shop.settings).ok


def test_a_text_is_due_when_the_country_of_the_zone_opens_where_no_country_is_told(shop: Shop) -> None:
    shop.sections = "[sms]\nwindow = ['06:00', '23:00']"
    shop.write(care=playbook(step("one", "hello/text", "sms", late_by="1 hour")))
    shop.customers("min", phone="+821012345678", timezone="Asia/Seoul")
    shop.evaluate("2026-03-01T20:30:00Z")
    assert shop.send("2026-03-01T21:30:00Z")["sent"] == 0
    assert shop.send("2026-03-01T23:10:00Z")["sent"] == 1


def test_an_email_to_china_says_that_it_is_advertising(shop: Shop) -> None:
    shop.write(care=playbook(step("one", late_by="3 days")), note=playbook(step("one"), kind="transactional"))
    shop.customers("mei", country="CN")
    shop.customers("ada", country="IT")
    shop.evaluate("2026-03-02T05:00:00Z")
    assert shop.send("2026-03-02T11:00:00Z")["sent"] == 4
    subjects = {(one["recipient"][:3], one["tag"]): one["subject"].startswith("AD ") for one in shop.log()}
    assert subjects == {("mei", "care"): True, ("mei", "note"): False, ("ada", "care"): False, ("ada", "note"): False}
