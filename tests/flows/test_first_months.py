"""Customers' first months under the shipped files: who hears what, in which order, with every playbook switched on."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from shop import Shop
from shop import at as moment

from automation.database.schema import messages
from automation.delivery.dispatch import Dispatch
from automation.worker import runs
from automation.worker.evaluate import prepare_run

ROOT = Path(__file__).parents[2]
SIGNED_UP = datetime(2026, 1, 5, 19, tzinfo=UTC)
DAYS = 75
# What happens to whom, so many days after signing up.
LIVES: dict[str, list[tuple[int, str, dict[str, str]]]] = {
    "silent": [],
    "comparing": [(9, "Product Viewed", {}), (9, "Page Viewed", {}), (10, "Product Viewed", {})]
    + [(11, "Product Viewed", {}), (30, "Product Viewed", {})],
    "friend": [(2, "Product Viewed", {})],
    "buyer": [(10, "Order Completed", {"category": "kitchen"}), (14, "Order Delivered", {})],
    "basket": [(44, "Cart Updated", {})],
}
WELCOME = ["onboarding/welcome", "onboarding/our_story", "onboarding/free_guides"]
TOLD = {
    "silent": [*WELCOME, "trial_offer/invitation", "trial_offer/questions"],
    "comparing": [*WELCOME, "trial_offer/invitation", "product_guide/how_to_choose", "product_guide/in_their_words"]
    + ["first_order/incentive", "first_order/reminder"],
    "friend": ["friend_welcome/welcome", "friend_welcome/first_steps", "trial_offer/invitation"]
    + ["trial_offer/questions", "friend_welcome/still_valid"],
    "buyer": [*WELCOME, "trial_offer/invitation", "after_purchase/arrived", "after_purchase/make_it_last"]
    + ["cross_sell/goes_with_it"],
    "basket": [*WELCOME, "trial_offer/invitation", "trial_offer/questions", "abandoned_basket/basket"]
    + ["abandoned_basket/still_there", "first_order/incentive", "first_order/reminder"],
}
KEYS = {step.split("/")[0] for life in TOLD.values() for step in life}


@pytest.fixture
def shipped(shop: Shop) -> Shop:
    """The shipped playbooks and copy, with nobody held out and the shipped caps."""
    shop.per_day, shop.per_week = 1, 3
    shop.write()
    for name in ("playbooks", "templates"):
        shutil.rmtree(shop.folder / name)
        shutil.copytree(ROOT / name, shop.folder / name)
    for path in (shop.folder / "playbooks").glob("*.toml"):
        path.write_text(path.read_text(encoding="utf-8").replace("holdout = 0.1", "holdout = 0"), encoding="utf-8")
    config = shop.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("small.toml", "standard.toml"), encoding="utf-8")
    return shop


def test_each_hears_one_thing_at_a_time_and_first_things_first(shipped: Shop) -> None:
    shipped.customers(*sorted(LIVES.keys() - {"friend"}), now=at(0), signup_at=at(0))
    shipped.customers("friend", now=at(0), signup_at=at(0), referred_by="anna")
    live(shipped)
    assert told(shipped) == TOLD


def live(shop: Shop) -> None:
    """Every morning is evaluated, and every noon and evening what is due is sent."""
    settings, book, database = shop.settings, shop.book, shop.database
    for day in range(1, DAYS):
        for customer, happened in LIVES.items():
            for number, (when, event, properties) in enumerate(happened):
                if when == day - 1:
                    shop.orders(customer, at(when, 19, number), event=event, **properties)
        runs.evaluate(database, settings, book, "test", moment(at(day, 5)))
        for hour in (9, 17):
            now = moment(at(day, hour, 45))
            with database.writing() as connection:
                desk = prepare_run(connection, settings, book, now)
            asyncio.run(Dispatch(database, desk, partial(moment, at(day, hour, 45)), "test").run())


def told(shop: Shop) -> dict[str, list[str]]:
    """Playbook and step of what each customer was sent, in order, as far as this test speaks of the playbook."""
    found: dict[str, list[str]] = {customer: [] for customer in LIVES}
    for row in sorted(shop.rows(messages), key=lambda row: row.due_at):
        if row.status == "sent" and row.playbook in KEYS:
            found[row.customer_id].append(f"{row.playbook}/{row.step}")
    return found


def at(day: int, hour: int = 19, minute: int = 0) -> str:
    return (SIGNED_UP.replace(hour=hour, minute=minute) + timedelta(days=day)).isoformat()
