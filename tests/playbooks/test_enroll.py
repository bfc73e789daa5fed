"""Who enters a playbook, who leaves it, and in which arm."""

import pytest
from shop import Shop, playbook, step
from sqlalchemy import select

from automation.database.schema import enrollments

DAY1, DAY2, DAY3 = "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z", "2026-03-03T06:00:00Z"
TWO_STEPS = step("one") + step("two", after="5 days")


def test_only_customers_in_its_stages_for_whom_the_rule_holds_enter(shop: Shop) -> None:
    shop.write(care=playbook(stages=["leaving"], when="nps >= 9"))
    shop.customers("ada", "bob", "cem")
    for one in ("ada", "bob"):
        shop.orders(one, "2025-11-01T10:00:00Z")
    for one in ("ada", "cem"):
        shop.orders(one, "2026-02-01T10:00:00Z", event="Survey", nps=9)
    assert shop.evaluate(DAY1)["entered"] == {"care": 1}
    assert shop.passages() == [("ada", "care", None)]


def test_once_ever_means_once(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    for day in (DAY1, DAY2, DAY3):
        shop.evaluate(day)
        shop.send(day.replace("06:00", "12:00"))
    assert shop.passages() == [("ada", "care", "completed")]


def test_reentry_waits_from_the_end_of_the_last_passage(shop: Shop) -> None:
    shop.write(care=playbook(reenter_after="3 days"))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send("2026-03-01T12:00:00Z")
    entered = [day for day in range(2, 9) if shop.evaluate(f"2026-03-{day:02}T06:00:00Z")["entered"]]
    assert entered == [5]


def test_an_exit_rule_ends_the_passage_and_cancels_what_was_planned(shop: Shop) -> None:
    shop.write(care=playbook(TWO_STEPS, exit_when="orders >= 1"))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send("2026-03-01T12:00:00Z")
    shop.orders("ada", "2026-03-02T01:00:00Z")
    assert shop.evaluate(DAY2)["exited"] == {"care": 1}
    assert shop.passages() == [("ada", "care", "exit_rule")]
    assert shop.statuses() == [("ada", "one", "sent", None), ("ada", "two", "canceled", "exit_rule")]


def test_leaving_the_stage_ends_it_only_where_the_playbook_says_so(shop: Shop) -> None:
    shop.write(
        stays=playbook(TWO_STEPS, stages=["new"]),
        leaves=playbook(TWO_STEPS, stages=["new"], stay_while_in_stage=True),
    )
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.orders("ada", "2026-03-01T10:00:00Z")
    shop.evaluate(DAY2)
    assert shop.passages() == [("ada", "leaves", "left_stage"), ("ada", "stays", None)]


GOAL = '[goal]\nevent = "Order"\nwithin = "3 days"\n'


@pytest.mark.parametrize(
    ("ordered", "met"),
    [
        ("2026-03-01T06:00:00Z", False),  # the instant of entering is before it
        ("2026-03-01T06:00:01Z", True),
        ("2026-03-04T06:00:00Z", True),
        ("2026-03-04T06:00:01Z", False),  # a second too late
    ],
)
def test_a_goal_is_met_by_an_event_within_its_time(shop: Shop, ordered: str, met: bool) -> None:
    shop.write(care=playbook(GOAL + step("one") + step("two", after="20 days")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.orders("ada", ordered)
    shop.evaluate("2026-03-05T06:00:00Z")
    assert shop.passages() == [("ada", "care", "goal_met" if met else None)]


def test_a_goal_met_after_the_last_step_is_still_noted(shop: Shop) -> None:
    shop.write(care=playbook(GOAL + step("one")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send("2026-03-01T12:00:00Z")
    shop.orders("ada", "2026-03-02T10:00:00Z")
    shop.evaluate(DAY3)
    (row,) = shop.rows(enrollments)
    assert (row.exit_reason, row.goal_at is not None) == ("completed", True)


def test_dates_open_and_close_a_playbook(shop: Shop) -> None:
    shop.write()
    dates = "starts = 2026-03-02\nends = 2026-03-03\n"
    shop.write(care=dates + playbook(step("one") + step("two", after="9 days")))
    shop.customers("ada")
    assert shop.evaluate(DAY1)["entered"] == {}
    assert shop.evaluate(DAY2)["entered"] == {"care": 1}
    shop.customers("bob", now=DAY3)
    assert shop.evaluate(DAY3)["entered"] == {"care": 1}
    shop.customers("cem", now=DAY3)
    told = shop.evaluate("2026-03-04T06:00:00Z")
    assert (told["entered"], told["exited"]) == ({}, {"care": 2})
    assert {reason for _, _, reason in shop.passages()} == {"playbook_ended"}


def test_a_playbook_whose_file_is_gone_lets_its_customers_go(shop: Shop) -> None:
    shop.write(care=playbook(TWO_STEPS), other=playbook(stages=["gone"]))
    shop.customers("ada")
    shop.evaluate(DAY1)
    (shop.folder / "playbooks" / "care.toml").unlink()
    shop.evaluate(DAY2)
    assert shop.passages() == [("ada", "care", "playbook_removed")]


def test_arms_are_drawn_in_their_shares_and_stay_the_same(shop: Shop) -> None:
    variant = '[[steps.variants]]\nkey = "short"\ntemplate = "hello/hello"\nweight = 0.5\n'
    shop.write(care=playbook(step("one") + variant, holdout=0.2))
    shop.customers(*(f"c{number}" for number in range(600)))
    shop.evaluate(DAY1)
    with shop.database.reading() as connection:
        rows = dict(connection.execute(select(enrollments.c.customer_id, enrollments.c.arm)).all())
    arms = list(rows.values())
    assert 80 <= arms.count("holdout") <= 160
    assert 190 <= arms.count("short") <= 290
    assert 190 <= arms.count("main") <= 290
    # The same on SQLite and PostgreSQL, today and in a year.
    assert [rows[f"c{number}"] for number in range(6)] == ARMS
    by_customer = {row.customer_id: row.variant for row in shop.rows()}
    assert all(by_customer[one] == (arm if arm == "short" else None) for one, arm in rows.items())


ARMS = ["short", "main", "main", "holdout", "main", "main"]


def test_whoever_is_held_out_is_enrolled_and_never_written_to(shop: Shop) -> None:
    shop.write(care=playbook(TWO_STEPS, holdout=1.0))
    shop.customers("ada")
    told = shop.evaluate(DAY1)
    assert (told["entered"], told["skipped"]) == ({"care": 1}, {"holdout": 1})
    assert shop.send("2026-03-01T12:00:00Z")["sent"] == 0
    assert ("ada", "one", "skipped", "holdout") in shop.statuses()


def test_two_playbooks_take_the_same_customer_and_ids_are_told_apart(shop: Shop) -> None:
    shop.write(care=playbook(), more=playbook())
    shop.customers(*(f"c{number}" for number in range(50)))
    assert shop.evaluate(DAY1)["entered"] == {"care": 50, "more": 50}
    ids = [(row.shard, row.enrollment_id) for row in shop.rows(enrollments)]
    assert len(set(ids)) == 100
    assert all(number % 256 == shard for shard, number in ids)
