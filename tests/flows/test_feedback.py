"""A question about an order, a bad answer, and what comes of it, under the shipped files."""

from datetime import UTC, datetime, timedelta

from shop import Shop
from shop import at as moment

from automation.database.schema import messages
from automation.worker import runs

FIRST_DAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = (0, 2, 3, 4, 11, 14)
# The day of each answer to the survey, and the answer.
ANSWERS: dict[str, list[tuple[int, int]]] = {
    "mended": [(1, 2), (4, 5)],
    "still_unhappy": [(1, 1)],
    "content": [(1, 5)],
    "silent": [],
}
TOLD = {
    "mended": {"csat_survey": ["how_was_it"], "feedback_follow_up": ["we_read_it"], "review_ask": ["ask"]},
    "still_unhappy": {"csat_survey": ["how_was_it"], "feedback_follow_up": ["we_read_it", "a_person", "better_now"]},
    "content": {"csat_survey": ["how_was_it"], "review_ask": ["ask"]},
    "silent": {"csat_survey": ["how_was_it", "reminder"]},
}
ABOUT = {playbook for steps in TOLD.values() for playbook in steps}


def test_a_bad_answer_is_followed_up_until_a_better_one(shipped: Shop) -> None:
    shipped.customers(*ANSWERS, now=at(-200), signup_at=at(-200))
    for customer in ANSWERS:
        shipped.orders(customer, at(-12), event="Order Completed")
        shipped.orders(customer, at(-9), event="Order Delivered")
        answered(shipped, customer)
    settings, book = shipped.settings, shipped.book
    for day in DAYS:
        runs.evaluate(shipped.database, settings, book, "test", moment(at(day, 5)))
        for now in (at(day, 9, 30), at(day, 17, 30)):
            if any(row.status == "planned" and row.due_at <= moment(now) for row in shipped.rows(messages)):
                shipped.send(now)
    assert told(shipped) == TOLD


def answered(shop: Shop, customer: str) -> None:
    """Told beforehand: only what has happened by then counts on a day."""
    for day, answer in ANSWERS[customer]:
        shop.orders(customer, at(day, 19), event="Survey Answered", survey="csat", csat=answer)


def told(shop: Shop) -> dict[str, dict[str, list[str]]]:
    """The steps of each playbook that each customer was sent, in order."""
    found: dict[str, dict[str, list[str]]] = {customer: {} for customer in ANSWERS}
    for row in sorted(shop.rows(messages), key=lambda row: row.due_at):
        if row.status == "sent" and row.playbook in ABOUT:
            found[row.customer_id].setdefault(row.playbook, []).append(row.step)
    return found


def at(day: int, hour: int = 12, minute: int = 0) -> str:
    return (FIRST_DAY.replace(hour=hour, minute=minute) + timedelta(days=day)).isoformat()
