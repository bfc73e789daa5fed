"""A provider tells what became of a message before anybody has written down that it took it: it is not sent again."""

from typing import Any

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import update

from automation.database.schema import attempts, messages, suppressions
from automation.delivery.hooks import Event
from automation.delivery.outcomes.inbox import keep_house
from automation.delivery.outcomes.take import take
from automation.delivery.verify import verify

DAY1, NOON, SOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T11:00:05Z", "2026-03-02T11:30:00Z"
LOST = {"answer": 500, "taken": True, "times": 1}


def sent(shop: Shop, on_unknown: str) -> Any:
    """One mail, whose answer got lost."""
    shop.write(care=playbook(step("one", late_by="3 days", on_unknown=on_unknown)))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(**LOST)
    shop.send(NOON)
    (row,) = shop.rows()
    return row


def tell(shop: Shop, row: Any, outcome: Any = "delivered", key: str = "e-1", **more: Any) -> None:
    with shop.database.writing() as connection:
        known = {"message_id": row.message_id, "recipient": "ada@example.com", **more}
        take(connection, "sandbox_email", [Event(key, outcome, outcome, at(NOON), **known)], at(SOON), "email")


def settled(shop: Shop) -> tuple[str, str | None, int]:
    (row,) = shop.rows()
    return row.status, row.reason, len(shop.log())


def in_flight(shop: Shop) -> None:
    """As a worker leaves it that dies after the post."""
    with shop.database.writing() as connection:
        flying = {"status": "sending", "worker": "gone", "lease_until": at("2026-03-02T11:06:00Z"), "reason": None}
        connection.execute(update(messages).values(**flying, possible_duplicate=False, finished_at=None))
        connection.execute(attempts.delete())


@pytest.mark.parametrize("on_unknown", ["hold", "resend"])
def test_what_a_dead_worker_had_in_flight_is_sent_when_the_provider_says_so(shop: Shop, on_unknown: str) -> None:
    row = sent(shop, on_unknown)
    in_flight(shop)
    tell(shop, row)
    shop.send(LATER)
    shop.send("2026-03-02T11:40:00Z")
    assert settled(shop) == ("sent", "told_later", 1)
    assert ("ada", "care", "completed") in shop.passages()
    assert verify(shop.database, shop.settings).ok


def test_what_was_to_go_once_more_does_not_when_the_provider_says_that_it_arrived(shop: Shop) -> None:
    row = sent(shop, "resend")
    assert (row.status, row.possible_duplicate) == ("planned", True)
    tell(shop, row)
    assert shop.send(LATER)["sent"] == 0
    assert settled(shop) == ("sent", "told_later", 1)
    assert verify(shop.database, shop.settings).ok


def test_an_answer_that_got_lost_after_the_provider_had_told_leaves_nothing_unknown(shop: Shop) -> None:
    row = sent(shop, "hold")
    assert row.status == "unknown"
    in_flight(shop)
    tell(shop, row)
    shop.send(LATER)
    assert settled(shop)[:2] == ("sent", "told_later")


def test_what_the_first_provider_tells_counts_after_another_took_over(shop: Shop) -> None:
    row = sent(shop, "resend")
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(provider="another"))
    tell(shop, row, "complained")
    assert [one.reason for one in shop.rows(suppressions)] == ["complained"]


def test_many_events_of_strangers_do_not_hide_one_of_ours(shop: Shop) -> None:
    row = sent(shop, "hold")
    with shop.database.writing() as connection:
        strange = [Event(f"s-{one}", "delivered", "x", at(NOON), provider_id=f"p-{one}") for one in range(600)]
        take(connection, "sandbox_email", strange, at(NOON), "email")
    tell(shop, row, "complained", message_id=None, provider_id="ours")
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(provider_id="ours"))
    keep_house(shop.database, shop.settings, at(SOON))
    assert [one.reason for one in shop.rows(suppressions)] == ["complained"]
