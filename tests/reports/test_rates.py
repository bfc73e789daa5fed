"""Rates with known answers, on both databases."""

from typing import Any

import pytest
from reporting import EVENTS, figures, report
from shop import Shop, playbook, step

JANUARY = ("2026-01-01", "2026-01-31")
NAMES = """
[reports]
orders = ["Order"]
visits = ["Visit"]
actions = ["Cart"]
renewals = ["Renewed"]
cancellations = ["Canceled"]
referrals = ["Referred"]
conversations = ["Call"]
"""


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.sections = NAMES
    shop.write()


def rates(shop: Shop, since: str = "2026-01-01", until: str = "2026-01-31", **asked: Any) -> dict[str, str]:
    return figures(report(shop, "rates", since, until, **asked))


def people(shop: Shop, name: str, count: int, signed_up: str, **columns: Any) -> list[str]:
    ids = [f"{name}{number}" for number in range(count)]
    shop.customers(*ids, now=signed_up, signup_at=signed_up, **columns)
    return ids


def test_twenty_orders_of_a_hundred_leads_are_a_conversion_of_twenty_percent(shop: Shop) -> None:
    for customer in people(shop, "lead", 100, "2026-01-05T09:00:00Z")[:20]:
        shop.orders(customer, "2026-01-20T09:00:00Z", "2026-01-21T09:00:00Z")
    earlier = people(shop, "earlier", 3, "2025-12-31T22:59:59Z")  # the last second of December in Rome
    shop.orders(earlier[0], "2026-01-20T09:00:00Z")
    assert rates(shop)["conversion"] == "20 % (20 of 100)"


def test_an_order_after_the_period_converts_nobody_in_it(shop: Shop) -> None:
    (lead,) = people(shop, "lead", 1, "2026-01-05T09:00:00Z")
    shop.orders(lead, "2026-02-01T09:00:00Z")
    assert rates(shop)["conversion"] == "0 % (0 of 1)"
    assert rates(shop, "2026-01-01", "2026-02-01")["conversion"] == "100 % (1 of 1)"
    assert rates(shop, "2026-01-01", "2026-02-01", now="2026-01-31T09:00:00Z")["conversion"] == "0 % (0 of 1)"


def test_an_order_of_less_than_nothing_is_a_refund_and_converts_nobody(shop: Shop) -> None:
    (lead,) = people(shop, "lead", 1, "2026-01-05T09:00:00Z")
    shop.orders(lead, "2026-01-10T09:00:00Z", amount=-5)
    assert rates(shop)["conversion"] == "0 % (0 of 1)"


def test_visitors_are_counted_once_and_those_who_acted_among_them(shop: Shop) -> None:
    one, two, three = people(shop, "v", 3, "2025-01-01T09:00:00Z")
    shop.orders(one, "2026-01-10T09:00:00Z", "2026-01-11T09:00:00Z", event="Visit")
    shop.orders(two, "2026-01-10T09:00:00Z", event="Visit")
    shop.orders(one, "2026-01-10T10:00:00Z", event="Cart")
    shop.orders(three, "2026-01-10T10:00:00Z", event="Cart")  # no visit is known of them
    found = rates(shop)
    assert (found["visitors_acted"], found["visits"]) == ("50 % (1 of 2)", "3")


def test_repeat_purchase_looks_at_all_orders_before(shop: Shop) -> None:
    one, two, three = people(shop, "b", 3, "2025-01-01T09:00:00Z")
    shop.orders(one, "2025-06-01T09:00:00Z", "2026-01-10T09:00:00Z")
    shop.orders(two, "2026-01-10T09:00:00Z")
    shop.orders(three, "2026-01-10T09:00:00Z", "2026-01-11T09:00:00Z")
    assert rates(shop)["repeat_purchase"] == "66.7 % (2 of 3)"


def test_renewed_of_renewed_and_canceled(shop: Shop) -> None:
    one, two = people(shop, "m", 2, "2025-01-01T09:00:00Z")
    shop.orders(one, "2026-01-10T09:00:00Z", "2026-01-20T09:00:00Z", "2026-01-30T09:00:00Z", event="Renewed")
    shop.orders(two, "2026-01-10T09:00:00Z", event="Canceled")
    assert rates(shop)["renewal"] == "75 % (3 of 4)"


def test_referrals_of_those_who_ordered_and_new_customers_by_referral(shop: Shop) -> None:
    one, two = people(shop, "r", 2, "2025-01-01T09:00:00Z")
    (brought,) = people(shop, "n", 1, "2026-01-05T09:00:00Z", referred_by="R-1")
    shop.orders(one, "2025-06-01T09:00:00Z")
    shop.orders(one, "2025-07-01T09:00:00Z", event="Referred")
    shop.orders(two, "2026-01-10T09:00:00Z")
    shop.orders(brought, "2026-01-11T09:00:00Z")
    found = rates(shop)
    assert found["referral"] == "33.3 % (1 of 3)"
    assert found["new_by_referral"] == "50 % (1 of 2)"


def test_new_customers_for_each_conversation(shop: Shop) -> None:
    one, two = people(shop, "c", 2, "2025-01-01T09:00:00Z")
    shop.orders(one, "2026-01-10T09:00:00Z")
    shop.orders(two, "2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z", event="Call")
    assert rates(shop)["new_per_conversation"] == "0.50 (1 to 2)"
    shop.sections = EVENTS
    shop.write()
    told = report(shop, "rates", *JANUARY)
    assert "new_per_conversation" not in told.figures
    assert any("conversation" in note for note in told.notes)


def test_churn_is_of_customers_who_had_bought_and_were_not_leaving(shop: Shop) -> None:
    one, two, _ = people(shop, "c", 3, "2025-06-01T09:00:00Z")
    long_gone = people(shop, "g", 1, "2025-06-01T09:00:00Z")[0]
    shop.orders(long_gone, "2025-07-01T09:00:00Z")
    shop.orders(one, "2025-11-20T09:00:00Z")
    shop.orders(two, "2025-12-20T09:00:00Z")
    shop.evaluate("2025-12-31T06:00:00Z")
    shop.evaluate("2026-01-31T06:00:00Z")
    assert rates(shop)["churn"] == "50 % (1 of 2)"
    assert rates(shop, "2026-01-01", "2026-01-15")["churn"] == "0 % (0 of 2)"


def test_churn_through_another_lifecycle_is_worked_out_from_events(shop: Shop) -> None:
    path = shop.folder / "playbooks/lifecycles/other.toml"
    path.write_text((shop.folder / "playbooks/lifecycles/small.toml").read_text().replace("> 60", "> 30"))
    one, two = people(shop, "c", 2, "2025-06-01T09:00:00Z")
    shop.orders(one, "2025-12-10T09:00:00Z")
    shop.orders(two, "2025-12-10T09:00:00Z", "2026-01-20T09:00:00Z")
    told = report(shop, "rates", *JANUARY, lifecycle="other")
    assert figures(told)["churn"] == "50 % (1 of 2)"
    assert "worked out from events" in told.notes[0]


def test_churn_is_left_out_where_no_stage_means_leaving(shop: Shop) -> None:
    path = shop.folder / "playbooks/lifecycles/small.toml"
    path.write_text(path.read_text().replace('roles = ["leaving"]', "roles = []"))
    told = report(shop, "rates", *JANUARY)
    assert "churn" not in told.figures
    assert any("role leaving" in note for note in told.notes)


def test_contacts_with_potential_customers_are_messages_before_the_first_order(shop: Shop) -> None:
    shop.write(hello=playbook())
    people(shop, "p", 3, "2026-01-05T09:00:00Z")
    shop.orders("p0", "2026-01-06T09:00:00Z")
    shop.evaluate("2026-01-10T06:00:00Z")
    shop.send("2026-01-10T09:00:00Z")
    shop.orders("p1", "2026-01-11T09:00:00Z")
    assert rates(shop)["contacts_potential"] == "66.7 % (2 of 3)"
    assert rates(shop, "2026-01-11", "2026-01-31")["contacts_potential"] == "none (0 of 0)"


def test_a_message_counts_when_it_was_sent_however_long_it_was_planned_before(shop: Shop) -> None:
    shop.write(hello=playbook(step("first") + step("second", after="120 days")))
    people(shop, "p", 1, "2025-09-01T09:00:00Z")
    shop.evaluate("2025-09-10T06:00:00Z")
    shop.send("2025-09-10T09:00:00Z")
    assert shop.send("2026-01-08T10:00:00Z")["sent"] == 1
    assert rates(shop)["contacts_potential"] == "100 % (1 of 1)"


@pytest.mark.parametrize("since", ["2020-01-01", "2026-01-01"])
def test_of_nobody_every_rate_is_none(shop: Shop, since: str) -> None:
    if since == "2020-01-01":
        shop.orders(people(shop, "x", 1, "2026-01-05T09:00:00Z")[0], "2026-01-06T09:00:00Z")
    found = rates(shop, since, f"{since[:8]}31")
    assert {value for key, value in found.items() if key != "visits"} == {"none (0 of 0)", "none (0 to 0)"}
    assert found["visits"] == "0"


def test_every_rate_says_what_is_counted(shop: Shop) -> None:
    assert all(figure.about.endswith(".") for figure in report(shop, "rates", *JANUARY).figures.values())
