"""Lives under each of the shipped lifecycles: where they lead, skip to and bounce back."""

from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from models import MODELS, ROOT, ship
from shop import Shop, at

from automation.database.schema import Shards
from automation.lifecycle.conditions import Day
from automation.lifecycle.standing import stages_as_of
from automation.playbooks.lifecycles import read_named
from automation.settings import load

NOW = at("2026-06-01T10:00:00Z")
LOOK = [("Page Viewed", 20), ("Page Viewed", 12), ("Page Viewed", 3), ("Content Viewed", 3)]
ORDERS = [("Order Completed", days) for days in (200, 100, 50, 10)]
REVIEW = ("Review Posted", 9)
GONE = [("Order Completed", days) for days in (400, 300, 250, 200)]
FALLING = [("Order Completed", 100), *(("Feature Used", days) for days in range(40, 88, 4))]
# What somebody did, how many days ago, and where that leads under each of MODELS.
LIVES: dict[str, tuple[list[tuple[str, int]], tuple[str, ...]]] = {
    "stranger": ([], ("awareness", "awareness", "awareness", "awareness", "acquaintance")),
    "looker": (LOOK, ("consideration", "acquisition", "knowledge", "engagement", "probing")),
    "trial": ([("Trial Started", 5)], ("consideration", "acquisition", "knowledge", "awareness", "probing")),
    "first": ([("Order Completed", 5)], ("acquisition", "conversion", "conversion", "purchase", "cooperation")),
    "user": (
        [("Order Completed", 60), ("Feature Used", 5)],
        ("retention", "retention", "retention", "retention", "cooperation"),
    ),
    "regular": (ORDERS, ("loyalty", "loyalty", "advocacy_repeat", "retention", "friendship")),
    "advocate": ([*ORDERS, REVIEW], ("advocacy", "loyalty", "advocacy_repeat", "advocacy", "friendship")),
    "unhappy": ([*ORDERS, REVIEW, ("nps", 5)], ("loyalty", "retention", "experience", "retention", "respect")),
    "quiet": ([*GONE, REVIEW], ("awareness", "awareness", "awareness", "awareness", "respect")),
    "looks_again": ([*GONE, *LOOK], ("consideration", "acquisition", "knowledge", "engagement", "respect")),
    "member": (
        [("Order Completed", 200), ("Subscription Renewed", 20)],
        ("awareness", "loyalty", "awareness", "awareness", "friendship"),
    ),
    "canceled": (
        [("Order Completed", 40), ("Subscription Renewed", 20), ("Subscription Canceled", 5)],
        ("retention", "retention", "experience", "retention", "respect"),
    ),
    "falling_use": (FALLING, ("retention", "retention", "experience", "retention", "respect")),
    "collects_points": (
        [("Order Completed", 200), ("Points Spent", 10)],
        ("awareness", "awareness", "awareness", "retention", "respect"),
    ),
}


def live(shop: Shop, customer: str, done: Iterable[tuple[str, int]]) -> None:
    for event, days in done:
        moment = (NOW - timedelta(days=days)).isoformat()
        if event == "nps":
            shop.orders(customer, moment, event="Survey Answered", nps=3)
        else:
            shop.orders(customer, moment, event=event, points=10)


def test_every_life_ends_in_the_stage_that_each_lifecycle_has_for_it(shop: Shop) -> None:
    shop.customers(*LIVES, signup_at="2025-01-01T00:00:00Z")
    for customer, (done, _) in LIVES.items():
        live(shop, customer, done)
    facts, lifecycles = read_named(load(ROOT / "config.toml"), *MODELS)
    day = Day(NOW, ZoneInfo("Europe/Rome"))
    with shop.database.reading() as connection:
        for index, lifecycle in enumerate(lifecycles):
            rows = connection.execute(stages_as_of(lifecycle, facts, connection.dialect.name, day, Shards()))
            found = {row.customer_id: row.stage for row in rows}
            assert found == {customer: stages[index] for customer, (_, stages) in LIVES.items()}, lifecycle.key


BEFORE, DAY, NEXT, THIRD = (NOW + timedelta(days=days) for days in (-120, 0, 1, 2))
# A stranger who has ordered four times by the next day; a regular customer whom silence and a new order move.
MOVES = {
    "customer_lifecycle": (
        [("awareness", "loyalty", "skip")],
        [("loyalty", "awareness", "back"), ("awareness", "loyalty", "skip")],
    ),
    "crm": (
        [("awareness", "loyalty", "skip")],
        [("loyalty", "awareness", "back"), ("awareness", "loyalty", "skip")],
    ),
    "funnel": (
        [("awareness", "advocacy_repeat", "skip")],
        [("advocacy_repeat", "awareness", "back"), ("awareness", "advocacy_repeat", "skip")],
    ),
    "loyalty": (
        [("awareness", "retention", "skip")],
        [("retention", "awareness", "back"), ("awareness", "retention", "skip")],
    ),
    "relationship": (
        [("acquaintance", "friendship", "skip")],
        [("friendship", "respect", "forward"), ("respect", "friendship", "back")],
    ),
}


@pytest.mark.parametrize("model", MODELS)
def test_customers_skip_stages_and_bounce_back_and_forth(shop: Shop, model: str) -> None:
    ship(shop, model)
    shop.customers("stranger", "regular", signup_at="2025-01-01T00:00:00Z")
    shop.orders("regular", *((BEFORE - timedelta(days=days)).isoformat() for days in (90, 60, 30, 0)), event="order")
    shop.evaluate(DAY.isoformat())
    shop.orders("stranger", *((DAY + timedelta(hours=hour)).isoformat() for hour in (1, 2, 3, 4)), event="order")
    shop.evaluate(NEXT.isoformat())
    shop.orders("regular", NEXT.isoformat(), event="order")
    shop.evaluate(THIRD.isoformat())
    moved = [move for move in shop.moves() if move[4] != "first"]
    each = [[move[2:] for move in moved if move[0] == customer] for customer in ("stranger", "regular")]
    assert tuple(each) == MOVES[model]
