"""Customers' first months under the shipped files: who hears what, in which order, with every playbook switched on."""

import asyncio
from datetime import UTC, datetime, timedelta

from shop import Shop
from shop import at as moment

from automation.database.schema import messages
from automation.delivery.dispatch import Dispatch
from automation.playbooks.load import Book
from automation.settings import Settings
from automation.worker import runs
from automation.worker.evaluate import prepare_run

SIGNED_UP = datetime(2026, 1, 5, 19, tzinfo=UTC)
DAYS = 54
# What happens to whom, so many days after signing up.
LIVES: dict[str, list[tuple[int, str]]] = {
    "silent": [],
    "comparing": [(9, "Product Viewed"), (9, "Page Viewed")] + [(day, "Product Viewed") for day in (10, 11, 30)],
    "friend": [(2, "Product Viewed")],
    "buyer": [(10, "Order Completed"), (14, "Order Delivered")],
    "basket": [(35, "Cart Updated")],
}
WELCOME = "onboarding/welcome onboarding/our_story onboarding/free_guides"
INVITED = f"{WELCOME} trial_offer/invitation"
TOLD = {
    "silent": f"{INVITED} trial_offer/questions",
    "comparing": f"{INVITED} product_guide/how_to_choose product_guide/in_their_words"
    " first_order/incentive first_order/reminder",
    "friend": "friend_welcome/welcome friend_welcome/first_steps trial_offer/invitation trial_offer/questions"
    " friend_welcome/still_valid",
    "buyer": f"{INVITED} after_purchase/arrived after_purchase/make_it_last cross_sell/goes_with_it",
    "basket": f"{INVITED} trial_offer/questions abandoned_basket/basket abandoned_basket/still_there"
    " first_order/incentive first_order/reminder",
}
KEYS = {step.split("/")[0] for life in TOLD.values() for step in life.split()}


def test_each_hears_one_thing_at_a_time_and_first_things_first(shipped: Shop) -> None:
    shipped.customers(*sorted(LIVES.keys() - {"friend"}), now=at(0), signup_at=at(0))
    shipped.customers("friend", now=at(0), signup_at=at(0), referred_by="anna")
    live(shipped)
    assert told(shipped) == {customer: steps.split() for customer, steps in TOLD.items()}


def live(shop: Shop) -> None:
    """Every morning is evaluated, and what is due then is sent at noon and in the evening."""
    settings, book = shop.settings, shop.book
    for day in range(1, DAYS):
        for customer, happened in LIVES.items():
            for number, (when, event) in enumerate(happened):
                if when == day - 1:
                    shop.orders(customer, at(when, 19, number), event=event, category="kitchen")
        runs.evaluate(shop.database, settings, book, "test", moment(at(day, 5)))
        for now in (moment(at(day, 9, 45)), moment(at(day, 17, 45))):
            if any(row.status == "planned" and row.due_at <= now for row in shop.rows(messages)):
                send(shop, settings, book, now)


def send(shop: Shop, settings: Settings, book: Book, now: datetime) -> None:
    with shop.database.writing() as connection:
        desk = prepare_run(connection, settings, book, now)
    asyncio.run(Dispatch(shop.database, desk, lambda: now, "test").run())


def told(shop: Shop) -> dict[str, list[str]]:
    """Playbook and step of what each customer was sent, in order, as far as this test speaks of the playbook."""
    found: dict[str, list[str]] = {customer: [] for customer in LIVES}
    for row in sorted(shop.rows(messages), key=lambda row: row.due_at):
        if row.status == "sent" and row.playbook in KEYS:
            found[row.customer_id].append(f"{row.playbook}/{row.step}")
    return found


def at(day: int, hour: int = 19, minute: int = 0) -> str:
    return (SIGNED_UP.replace(hour=hour, minute=minute) + timedelta(days=day)).isoformat()
