"""What the shipped playbooks have for customers who know the shop: who enters which, and never two about one thing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.lifecycle.conditions import Day
from automation.playbooks.load import read_book
from automation.playbooks.passages import entry
from automation.settings import load

BOOK = read_book(load(Path(__file__).parents[2] / "config.toml"))
DAY = Day(datetime(2026, 3, 18, 5, tzinfo=UTC), ZoneInfo("Europe/Rome"))
NUMBERS = ("orders", "orders_90d", "revenue", "points", "uses_30d", "uses_90d", "visits_30d", "complaints_30d")
COUNTS = dict.fromkeys((*NUMBERS, "referrals", "reviews", "shares", "renewals", "refunds"), 0)
SURVEYS = ("csat_survey", "nps_survey", "why_did_you_leave")
THANKS = ("loyalty_reward", "vip", "anniversary")
FAVORS = ("review_ask", "referral_ask", "ambassador_invitation")
POINTS = ("points_reminder", "points_reward")
WORRIES = ("feedback_follow_up", "first_signs", "win_back", "why_did_you_leave")
ALL = (*SURVEYS, *THANKS, *FAVORS, *POINTS, "feedback_follow_up", "first_signs", "win_back")
SCORES = {"csat", "nps"}


def ago(days: int) -> datetime:
    return DAY.now - timedelta(days=days)


def somebody(stage: str, **told: Any) -> dict[str, Any]:
    """Facts of a customer; those that are instants are told as days ago."""
    found = {name: ago(value) if BOOK.facts.types.get(name) == "instant" else value for name, value in told.items()}
    return {**dict.fromkeys(BOOK.facts.types), **COUNTS, "stage": stage, **found}


def entered(facts: dict[str, Any], playbooks: tuple[str, ...] = ALL) -> set[str]:
    return {key for key in playbooks if entry(BOOK.playbooks[key], facts, None, DAY).reason is None}


ORDER = {"orders": 1, "orders_90d": 1, "first_order": 20, "last_order": 20}
REGULAR = {"orders": 5, "orders_90d": 2, "first_order": 300, "last_order": 30}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (somebody("using", **ORDER, delivered=8), {"csat_survey"}),
        (somebody("using", **ORDER), {"csat_survey"}),  # a shop that is not told of deliveries
        (somebody("using", **ORDER, delivered=8, surveyed=30, csat=4), set()),
        (somebody("using", **ORDER, delivered=8, complaints_30d=1), set()),
        (somebody("using", **ORDER, delivered=8, csat=2, csat_14d=2, surveyed=1), {"feedback_follow_up"}),
        (somebody("using", **ORDER, delivered=8, csat=2, surveyed=20), set()),
        (somebody("leaving", **REGULAR, nps=6, nps_14d=6, surveyed=1), {"feedback_follow_up"}),
        (somebody("retained", orders=2, first_order=200, last_order=50), {"nps_survey"}),
        (somebody("loyal", orders=9, orders_90d=5, first_order=90, last_order=4, delivered=1), {"nps_survey"}),
        (somebody("retained", orders=2, first_order=200, last_order=80, last_seen=40), {"nps_survey", "first_signs"}),
        (somebody("using", **ORDER, surveyed=80, uses_90d=15, uses_30d=1), {"csat_survey", "first_signs"}),
        (somebody("using", **ORDER, complaints_30d=2), {"first_signs"}),
        (somebody("leaving", orders=2, first_order=300, last_order=130), {"win_back"}),
        (somebody("leaving", orders=2, first_order=300, last_order=160), {"why_did_you_leave"}),
        (somebody("leaving", orders=2, first_order=300, last_order=185), {"win_back"}),
        (somebody("leaving", orders=2, first_order=300, last_order=130, canceled=4), {"why_did_you_leave"}),
        (somebody("retained", **{**REGULAR, "orders": 3}, csat=5, surveyed=12), {"review_ask"}),
        (somebody("retained", **{**REGULAR, "orders": 3}, csat=5, surveyed=12, reviews=1), set()),
        (somebody("advocate", **REGULAR, nps=9, surveyed=70), {"loyalty_reward", "referral_ask"}),
        (somebody("advocate", **REGULAR, reviews=1, reviewed=5), {"loyalty_reward"}),
        (somebody("advocate", **REGULAR, referrals=2), {"loyalty_reward", "ambassador_invitation"}),
        (somebody("advocate", **REGULAR, referrals=2, ambassador_since=9), {"loyalty_reward"}),
        (somebody("loyal", **{**REGULAR, "orders": 12}, surveyed=80), {"vip", "referral_ask"}),
        (somebody("loyal", **{**REGULAR, "first_order": 366}), {"anniversary", "review_ask"}),
        (somebody("using", **ORDER, surveyed=50, points=500, points_changed=1), {"points_reward"}),
        (somebody("using", **ORDER, surveyed=50, points=500, points_changed=60), {"points_reminder"}),
        (somebody("using", **ORDER, surveyed=50, points=99, points_changed=60), set()),
    ],
)
def test_each_enters_what_fits_and_nothing_else(facts: dict[str, Any], expected: set[str]) -> None:
    assert entered(facts) == expected


@st.composite
def customers(draw: st.DrawFn) -> dict[str, Any]:
    """Facts that may stand together: what was answered lately is also what was answered last."""
    days = st.none() | st.integers(0, 400)
    told: dict[str, Any] = {name: draw(st.sampled_from((0, 1, 2, 4, 6, 12, 600, 1000))) for name in NUMBERS}
    told |= {name: draw(st.integers(0, 3)) for name in ("referrals", "reviews", "shares")}
    told |= {name: draw(days) for name in ("delivered", "canceled", "points_changed", "last_seen", "reviewed")}
    told["last_order"] = draw(st.integers(0, 400))
    told["first_order"] = draw(st.integers(told["last_order"], 500))
    told["surveyed"] = draw(days)
    if told["surveyed"] is not None:
        told |= {"csat": draw(st.none() | st.integers(1, 5)), "nps": draw(st.none() | st.integers(0, 10))}
        if told["surveyed"] < 14:
            told |= {f"{name}_14d": told[name] for name in SCORES}
    stages = [stage.key for stage in BOOK.lifecycle.stages]
    given_ones = {name: value for name, value in told.items() if value is not None}
    return somebody(draw(st.sampled_from(stages)), **given_ones)


@given(customers())
def test_nobody_enters_two_playbooks_about_one_thing(facts: dict[str, Any]) -> None:
    for group in (SURVEYS, THANKS, FAVORS, POINTS, WORRIES):
        assert len(entered(facts, group)) <= 1


@given(customers())
def test_whoever_has_just_told_us_that_they_are_unhappy_hears_only_from_a_person(facts: dict[str, Any]) -> None:
    unhappy = facts | {"csat": 2, "csat_14d": 2, "surveyed": ago(1)}
    assert entered(unhappy) == {"feedback_follow_up"}
