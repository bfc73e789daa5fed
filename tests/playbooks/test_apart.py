"""Playbooks for the same people keep out of each other's way: nobody enters two of them on one day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from automation.lifecycle.conditions import Day
from automation.playbooks.load import read_book
from automation.playbooks.passages import entry
from automation.settings import load

BOOK = read_book(load(Path(__file__).parents[2] / "config.toml"))
DAY = Day(datetime(2026, 3, 18, 5, tzinfo=UTC), ZoneInfo("Europe/Rome"))
TO_A_FIRST_ORDER = ("onboarding", "friend_welcome", "product_guide", "trial_offer", "first_order")
WITHOUT_A_WELCOME = ("product_guide", "trial_offer", "first_order", "abandoned_basket")
days = st.none() | st.integers(0, 70)


def ago(count: int | None) -> datetime | None:
    return None if count is None else DAY.now - timedelta(days=count)


@st.composite
def newcomers(draw: st.DrawFn) -> dict[str, Any]:
    """Facts of somebody who has not ordered; who looks into a basket or at a product is seen."""
    basket, seen, signed_up, trial = draw(days), draw(days), draw(st.integers(0, 70)), draw(days)
    seen = min((one for one in (basket, seen) if one is not None), default=None)
    numbers = {name: draw(st.integers(0, 4)) for name in ("product_views_30d", "content_30d", "visits_30d")}
    return {
        **dict.fromkeys(BOOK.facts.types),
        **numbers,
        "stage": draw(st.sampled_from(["aware", "evaluating"])),
        "orders": 0,
        "signed_up": ago(signed_up),
        "cart_updated": ago(basket),
        "last_seen": ago(seen),
        "trial_started": ago(trial),
        "trial_ends": ago(None if trial is None else trial - 14),
        "referred_by": draw(st.sampled_from([None, "anna"])),
    }


def enters(facts: dict[str, Any], *playbooks: str) -> list[str]:
    return [key for key in playbooks if entry(BOOK.playbooks[key], facts, None, DAY).reason is None]


@given(newcomers())
def test_nobody_is_led_to_a_first_order_in_two_ways_at_once(facts: dict[str, Any]) -> None:
    assert len(enters(facts, *TO_A_FIRST_ORDER)) <= 1
    assert len(enters(facts, *WITHOUT_A_WELCOME)) <= 1


@given(newcomers())
def test_whoever_signs_up_is_welcomed_once(facts: dict[str, Any]) -> None:
    today = facts | {"signed_up": DAY.now - timedelta(hours=3)}
    assert len(enters(today, "onboarding", "friend_welcome")) == 1
    assert not enters(today, "product_guide", "trial_offer", "first_order")
