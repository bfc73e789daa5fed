"""The figures that pages read: counted after a run, and about once an hour, on both databases."""

from datetime import timedelta
from typing import Any

from shop import Shop, at, playbook, step

from automation.reports.kept import Kept, keep_figures, keep_if_old, newest

DAY1, DAY2 = "2026-01-01T06:00:00Z", "2026-01-05T06:00:00Z"
GOAL = '[goal]\nevent = "Order"\nwithin = "30 days"\n'
OTHER = """
name = "Other"
[[stages]]
key = "nobody"
name = { en = "Nobody yet" }
roles = ["aware"]
[[stages]]
key = "somebody"
name = { en = "Somebody" }
roles = ["loyal"]
when = "orders >= 1"
"""


def kept(shop: Shop, kind: Any) -> Kept:
    with shop.database.reading() as connection:
        found = newest(connection, kind)
    assert found is not None
    return found


def count(shop: Shop, now: str) -> bool:
    return keep_if_old(shop.database, shop.settings, shop.book, at(now))


def lived(shop: Shop) -> Shop:
    """Ann, Bob and Cid enter; Bob orders, and has met the goal; Cid's second message waits."""
    steps = step("one") + step("two", "hello/text", "sms", after="10 days")
    shop.write(care=playbook(GOAL + steps, exit_when="orders >= 1"))
    shop.customers("ann", "bob", "cid")
    shop.evaluate(DAY1)
    shop.send("2026-01-01T10:00:00Z")
    shop.orders("bob", "2026-01-03T09:00:00Z")
    shop.evaluate(DAY2)
    return shop


def test_a_playbooks_figures_tell_who_entered_what_was_sent_and_who_is_where(shop: Shop) -> None:
    assert count(lived(shop), DAY2)
    found = kept(shop, "playbooks")
    assert found.as_of == at(DAY2)
    care = found.counted["playbooks"]["care"]
    assert care["arms"]["main"] | {"delivered": 0} == {
        "entered": 3,
        "met": 1,
        "sent": 3,
        "delivered": 0,
        "opened": 0,
        "clicked": 0,
        "unsubscribed": 0,
        "complained": 0,
    }
    assert care["exits"] == {"goal_met": 1}
    assert care["inside"] == {"1": 2}
    assert care["steps"]["one"] == {"sent": 3}
    assert care["reasons"] == {"two": {"canceled": {"goal_met": 1}}}
    assert care["proof"]["main"] == [3, 0, 0]  # nobody's thirty days are over yet


def test_a_lifecycles_figures_tell_days_movement_and_every_model(shop: Shop) -> None:
    lived(shop)
    (shop.folder / "playbooks/lifecycles/other.toml").write_text(OTHER)
    assert count(shop, DAY2)
    found = kept(shop, "lifecycle").counted
    assert found["inside"] == {"new": {"customers": 2, "days": 4.0}, "buyer": {"customers": 1, "days": 0.0}}
    assert found["left"] == {"new": {"customers": 1, "days": 4.0}}
    assert found["moved"] == [[None, "buyer", 1], [None, "new", 2]]  # a month ago nobody was there
    assert [(one["key"], [stage[2] for stage in one["stages"]]) for one in found["models"]] == [
        ("other", [2, 1]),
        ("small", [2, 1, 0, 0]),
    ]


def test_figures_are_counted_after_a_run_and_again_after_an_hour(shop: Shop) -> None:
    shop.write()
    assert not count(shop, DAY1)  # nothing was ever run
    shop.evaluate(DAY1)
    assert count(shop, DAY1)
    assert not count(shop, "2026-01-01T06:30:00Z")
    assert count(shop, "2026-01-01T07:01:00Z")
    shop.evaluate(DAY2)
    assert count(shop, DAY2)
    assert kept(shop, "playbooks").as_of == at(DAY2)


def test_facts_that_no_run_has_worked_out_leave_the_last_figures(shop: Shop) -> None:
    lived(shop)
    keep_figures(shop.database, shop.settings, shop.book, at(DAY2))
    facts = shop.folder / "playbooks/facts.toml"
    facts.write_text(facts.read_text() + '[visits]\nevent = "Visit"\ncount = true\n')
    keep_figures(shop.database, shop.settings, shop.book, at(DAY2) + timedelta(hours=2))
    assert kept(shop, "lifecycle").as_of == at(DAY2)
    assert kept(shop, "playbooks").as_of == at(DAY2) + timedelta(hours=2)
