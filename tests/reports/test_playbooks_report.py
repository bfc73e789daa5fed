"""What playbooks did, on ledgers that real runs wrote."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from reporting import report, rows
from shop import Shop, at, playbook, step
from sqlalchemy import insert

from automation.database.schema import enrollments, messages, outcomes
from automation.errors import BadInput
from automation.reports.figures import Share

RUN, LATER, AFTER = "2026-01-10T05:00:00Z", "2026-01-11T05:00:00Z", "2026-01-26T05:00:00Z"
GOAL = '[goal]\nevent = "Order"\nwithin = "14 days"\nvalue = "revenue"\n'
VARIANTS = '[[steps.variants]]\nkey = "short"\ntemplate = "hello/hello"\nweight = 0.5\n'
PEOPLE = [f"c{number:02}" for number in range(60)]


def opened(shop: Shop, **keys: Any) -> None:
    """Sixty customers in the playbook `nudge`, who were written to on the 10th."""
    steps = keys.pop("steps", step("hello"))
    shop.write(nudge=playbook(GOAL + steps, **keys))
    shop.customers(*PEOPLE)
    shop.evaluate(RUN)
    shop.send("2026-01-10T12:00:00Z")


def by_arm(shop: Shop) -> dict[str, list[str]]:
    found = defaultdict(list)
    for row in shop.rows(enrollments):
        found[row.arm].append(row.customer_id)
    return {arm: sorted(people) for arm, people in found.items()}


def tell(shop: Shop, customer: str, *told: str, provider: str = "sandbox_email") -> None:
    of = next(row for row in shop.rows(messages) if row.customer_id == customer)
    happened = at("2026-01-10T13:00:00Z")
    with shop.database.writing() as connection:
        for outcome in told:
            connection.execute(
                insert(outcomes).values(
                    shard=of.shard,
                    message_id=of.message_id,
                    provider=provider,
                    event_key=f"{outcome}-{provider}",
                    outcome=outcome,
                    happened_at=happened,
                    received_at=happened,
                )
            )


def of_arm(shop: Shop, arm: str, table: str = "arms") -> dict[str, Any]:
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    return next(row for row in rows(found, table) if row["arm"] == arm)


def test_goals_are_set_against_the_holdout(shop: Shop) -> None:
    opened(shop, holdout=0.5)
    arms = by_arm(shop)
    for one in arms["main"][:12]:
        shop.orders(one, "2026-01-12T09:00:00Z", revenue=10)
    for one in arms["holdout"][:3]:
        shop.orders(one, "2026-01-12T09:00:00Z", revenue=10)
    shop.evaluate(AFTER)
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    main, held = len(arms["main"]), len(arms["holdout"])
    assert found.figures["goal_met"].value == Share(12, main)
    assert found.figures["goal_met_holdout"].value == Share(3, held)
    assert of_arm(shop, "main")["revenue"] == {"EUR": Decimal(120)}
    (lift,) = rows(found, "lift")
    assert (lift["arm"], lift["against"]) == ("all written to", "holdout")
    assert lift["points"] == round(Decimal(1200) / main - Decimal(300) / held, 2)
    assert lift["from"] < lift["points"] < lift["to"]
    (words,) = rows(found, "words")
    assert f"Of {main} who were written to 12" in words["in words"]
    assert f"of {held} who were not written to 3" in words["in words"]
    assert [row["arm"] for row in rows(found, "messages")] == ["main"]


def test_variants_are_set_against_each_other(shop: Shop) -> None:
    opened(shop, holdout=0.2, steps=step("hello") + VARIANTS)
    arms = by_arm(shop)
    for one in arms["short"][:5]:
        shop.orders(one, "2026-01-12T09:00:00Z")
    shop.evaluate(AFTER)
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    assert [row["arm"] for row in rows(found, "arms")] == ["holdout", "main", "short"]
    compared = [(row["arm"], row["against"]) for row in rows(found, "lift")]
    assert compared == [
        ("all written to", "holdout"),
        ("main", "holdout"),
        ("short", "holdout"),
        ("short", "main"),
    ]
    assert rows(found, "lift")[1]["points"] == 0
    assert f"Of {len(arms['short'])} in the arm short 5" in rows(found, "words")[3]["in words"]
    assert any("by chance" in note for note in found.notes)


def test_a_passage_whose_time_for_the_goal_is_not_over_is_still_open(shop: Shop) -> None:
    opened(shop, holdout=0.2)
    shop.orders(by_arm(shop)["main"][0], "2026-01-12T09:00:00Z", revenue=10)
    shop.evaluate("2026-01-24T04:59:59Z")
    early = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    assert rows(early, "lift") == []
    assert any("over yet in 1 of" in note for note in early.notes)
    written = len(by_arm(shop)["main"])
    arm = of_arm(shop, "main")
    assert (arm["entered"], arm["still open"], arm["goal met"]["of"], arm["revenue"]) == (written, written, 0, {})
    shop.evaluate("2026-01-25T05:00:00Z")
    arm = of_arm(shop, "main")
    assert (arm["still open"], arm["goal met"]["part"], arm["goal met"]["of"]) == (0, 1, written)


def test_what_came_after_the_last_run_does_not_count_yet(shop: Shop) -> None:
    opened(shop)
    arm = next(iter(rows(report(shop, "playbooks", "2026-01-01", "2026-01-31", now="2026-03-01T00:00:00Z"), "arms")))
    assert arm["still open"] == 60


def test_currencies_are_never_added_together_and_refunds_do_not_count(shop: Shop) -> None:
    opened(shop)
    shop.orders("c00", "2026-01-12T09:00:00Z", "2026-01-20T09:00:00Z", revenue=10.5)
    shop.orders("c01", "2026-01-12T09:00:00Z", revenue=7, currency="pln")
    shop.orders("c02", "2026-01-12T09:00:00Z", revenue=-9)
    shop.orders("c03", "2026-01-12T09:00:00Z", event="Order Refunded", revenue=100)
    shop.orders("c04", "2026-01-25T09:00:00Z", revenue=1000)  # too late for the goal
    shop.orders("c05", "2026-01-12T09:00:00Z")  # says no amount
    shop.evaluate(AFTER)
    arm = of_arm(shop, "main")
    assert arm["revenue"] == {"EUR": Decimal(21), "PLN": Decimal(7)}
    assert arm["revenue for each"] == {"EUR": Decimal("0.35"), "PLN": Decimal("0.12")}
    assert arm["goal met"]["part"] == 4


def test_an_order_after_two_entries_is_counted_once(shop: Shop) -> None:
    opened(shop, reenter_after="1 day")
    shop.orders("c00", "2026-01-10T20:00:00Z", revenue=5)
    shop.evaluate(LATER)
    shop.evaluate("2026-01-13T05:00:00Z")
    shop.orders("c00", "2026-01-14T09:00:00Z", revenue=3)
    shop.evaluate("2026-01-31T05:00:00Z")
    assert len([one for one in shop.passages() if one[0] == "c00"]) >= 2
    assert of_arm(shop, "main")["revenue"] == {"EUR": Decimal(8)}


def test_each_outcome_counts_once_for_a_message(shop: Shop) -> None:
    opened(shop)
    tell(shop, "c00", "delivered", "opened", "clicked", "unsubscribed")
    tell(shop, "c00", "unsubscribed", provider="link")
    tell(shop, "c01", "delivered", "complained")
    tell(shop, "c02", "bounced_hard")
    arm = of_arm(shop, "main", "messages")
    parts = {name: arm[name]["part"] for name in ("delivered", "opened", "clicked", "unsubscribed", "complained")}
    assert parts == {"delivered": 2, "opened": 1, "clicked": 1, "unsubscribed": 1, "complained": 1}
    assert (arm["sent"], arm["opened"]["of"]) == (60, 60)


def test_a_playbook_that_is_gone_still_reports_by_its_key(shop: Shop) -> None:
    opened(shop)
    shop.orders("c00", "2026-01-12T09:00:00Z")
    shop.evaluate("2026-01-13T05:00:00Z")
    (shop.folder / "playbooks/nudge.toml").unlink()
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31", playbook="nudge")
    (arm,) = rows(found, "arms")
    assert (arm["entered"], arm["still open"], arm["goal met"]["part"], arm["goal met"]["of"]) == (60, 0, 1, 60)
    assert any("no playbook" in note for note in found.notes)


def test_a_playbook_without_a_goal_is_not_compared(shop: Shop) -> None:
    shop.write(care=playbook(holdout=0.5))
    shop.customers(*PEOPLE)
    shop.evaluate(RUN)
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    assert {row["goal met"] for row in rows(found, "arms")} == {None}
    assert rows(found, "lift") == []
    assert found.figures["goal_met"].value == Share(0, 0)
    assert any("has no goal" in note for note in found.notes)


def test_only_those_who_entered_in_the_period_count(shop: Shop) -> None:
    opened(shop)
    assert rows(report(shop, "playbooks", "2026-01-11", "2026-01-31"), "arms") == []
    assert rows(report(shop, "playbooks", "2025-01-01", "2026-01-09"), "arms") == []
    assert rows(report(shop, "playbooks", "2026-01-10", "2026-01-10"), "arms") != []


def test_one_playbook_can_be_asked_for(shop: Shop) -> None:
    shop.write(nudge=playbook(GOAL + step("hello")), other=playbook(GOAL + step("hello")))
    shop.customers("anna")
    shop.evaluate(RUN)
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31", playbook="nudge")
    assert {row["playbook"] for row in rows(found, "arms")} == {"nudge"}
    with pytest.raises(BadInput, match='did you mean "nudge"'):
        report(shop, "playbooks", "2026-01-01", "2026-01-31", playbook="nudgy")


def test_before_anybody_is_there_nothing_is_counted(shop: Shop) -> None:
    shop.write(nudge=playbook(GOAL + step("hello")))
    found = report(shop, "playbooks", "2026-01-01", "2026-01-31")
    assert (rows(found, "arms"), rows(found, "messages"), rows(found, "lift")) == ([], [], [])
    assert found.figures["goal_met"].value == Share(0, 0)
