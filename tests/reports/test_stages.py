"""Funnel and transitions of a small shop, after real runs on both databases."""

import pytest
from reporting import cells, figures, report
from shop import Shop

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
when = "orders >= 2"
"""


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Four customers: Ann stays new, Bob buys, Cid goes from new to regular, Dot leaves and comes back."""
    shop.write()
    shop.customers("ann", "bob", "cid", "dot", now="2025-12-01T00:00:00Z", signup_at="2025-12-01T00:00:00Z")
    shop.orders("dot", "2025-12-02T09:00:00Z")
    shop.evaluate("2026-01-01T06:00:00Z")
    shop.orders("bob", "2026-01-10T09:00:00Z")
    shop.evaluate("2026-01-11T06:00:00Z")
    shop.orders("cid", *(f"2026-02-0{day}T09:00:00Z" for day in (1, 2, 3)))
    shop.evaluate("2026-02-04T06:00:00Z")
    shop.orders("dot", "2026-02-20T09:00:00Z")
    shop.evaluate("2026-02-21T06:00:00Z")
    return shop


def test_the_funnel_counts_who_stands_where_at_the_end(lived: Shop) -> None:
    told = report(lived, "funnel", "2026-01-02", "2026-02-28")
    assert cells(told, "stages") == [
        ("new", "New", "25 % (1 of 4)"),
        ("buyer", "Buyer", "50 % (2 of 4)"),
        ("regular", "Regular", "25 % (1 of 4)"),
        ("gone", "Gone", "0 % (0 of 4)"),
    ]
    assert figures(told) == {"customers": "4"}
    earlier = report(lived, "funnel", "2026-01-02", "2026-01-31")
    assert [row[2] for row in cells(earlier, "stages")] == [
        "50 % (2 of 4)",
        "50 % (2 of 4)",
        "0 % (0 of 4)",
        "0 % (0 of 4)",
    ]


def test_the_funnel_tells_what_became_of_whoever_was_in_a_stage(lived: Shop) -> None:
    told = report(lived, "funnel", "2026-01-02", "2026-02-10")
    assert cells(told, "moves") == [
        ("new", "moved on", "66.7 % (2 of 3)"),
        ("new", "stayed", "33.3 % (1 of 3)"),
        ("buyer", "stayed", "50 % (1 of 2)"),
        ("buyer", "left", "50 % (1 of 2)"),  # leaving comes last in the lifecycle and is no step forward
        ("regular", "stayed", "100 % (1 of 1)"),
        ("gone", "stayed", "100 % (1 of 1)"),
    ]
    back = report(lived, "funnel", "2026-02-11", "2026-02-28")
    assert ("gone", "moved back", "100 % (1 of 1)") in cells(back, "moves")


def test_transitions_mark_skips_and_moves_back_and_know_the_days_before(lived: Shop) -> None:
    told = report(lived, "transitions", "2026-01-02", "2026-02-28")
    assert cells(told, "changes") == [
        ("new", "buyer", "forward", "1", "10 (of 1)"),
        ("new", "regular", "skip", "1", "34 (of 1)"),
        ("buyer", "gone", "skip", "1", "34 (of 1)"),
        ("gone", "buyer", "back", "1", "17 (of 1)"),
    ]
    assert figures(told) == {
        "forward": "25 % (1 of 4)",
        "skip": "50 % (2 of 4)",
        "back": "25 % (1 of 4)",
        "entered": "0",
    }
    assert cells(told, "matrix") == [
        ("1 new", "", "1", "»1", ""),
        ("2 buyer", "", "", "", "»1"),
        ("3 regular", "", "", "", ""),
        ("4 gone", "", "«1", "", ""),
    ]


def test_first_entries_are_no_transitions(lived: Shop) -> None:
    told = report(lived, "transitions", "2025-12-01", "2026-01-01")
    assert cells(told, "changes") == [
        ("None", "new", "first", "3", "none (of 0)"),
        ("None", "buyer", "first", "1", "none (of 0)"),
    ]
    assert figures(told)["entered"] == "4"
    assert figures(told)["forward"] == "none (0 of 0)"


def test_the_median_of_days_lies_between_the_two_in_the_middle(shop: Shop) -> None:
    shop.write()
    shop.customers("a", "b", "c", "d", now="2026-01-01T00:00:00Z")
    shop.evaluate("2026-01-01T06:00:00Z")
    for customer, day in {"a": "02", "b": "04", "c": "09", "d": "30"}.items():
        shop.orders(customer, f"2026-01-{day}T01:00:00Z")
        shop.evaluate(f"2026-01-{day}T06:00:00Z")
    (row,) = cells(report(shop, "transitions", "2026-01-02", "2026-01-31"))
    assert row == ("new", "buyer", "forward", "4", "5.50 (of 4)")  # 1, 3, 8 and 29 days


def test_another_lifecycle_is_compared_at_the_start_and_the_end(lived: Shop) -> None:
    (lived.folder / "playbooks/lifecycles/other.toml").write_text(OTHER)
    told = report(lived, "funnel", "2026-01-01", "2026-02-28", lifecycle="other")
    assert cells(told, "stages") == [
        ("nobody", "Nobody yet", "50 % (2 of 4)"),
        ("somebody", "Somebody", "50 % (2 of 4)"),
    ]
    assert cells(told, "moves") == [
        ("nobody", "moved on", "50 % (2 of 4)"),
        ("nobody", "stayed", "50 % (2 of 4)"),
    ]
    assert "worked out from events" in told.notes[0]
    changes = report(lived, "transitions", "2026-01-01", "2026-02-28", lifecycle="other")
    assert cells(changes) == [("nobody", "somebody", "forward", "2", "none (of 0)")]


def test_who_signed_up_since_stood_nowhere_in_another_lifecycle_before(lived: Shop) -> None:
    (lived.folder / "playbooks/lifecycles/other.toml").write_text(OTHER)
    lived.customers("eve", now="2026-02-01T00:00:00Z", signup_at="2026-02-01T00:00:00Z")
    told = report(lived, "funnel", "2026-01-01", "2026-01-31", lifecycle="other")
    assert figures(told) == {"customers": "4"}
    later = report(lived, "funnel", "2026-01-01", "2026-02-28", lifecycle="other")
    assert figures(later) == {"customers": "5"}
    assert cells(later, "moves")[0] == ("nobody", "moved on", "50 % (2 of 4)")


def test_stages_of_a_lifecycle_that_was_replaced_are_counted_apart(lived: Shop) -> None:
    (lived.folder / "playbooks/lifecycles/small.toml").write_text(OTHER)
    lived.evaluate("2026-03-01T06:00:00Z")
    told = report(lived, "funnel", "2026-02-25", "2026-03-01")
    assert [row[2] for row in cells(told, "stages")] == ["50 % (2 of 4)", "50 % (2 of 4)"]
    assert told.notes == ["4 passages were through stages that this lifecycle does not have; they are in no share."]


@pytest.mark.parametrize("name", ["funnel", "transitions"])
def test_an_empty_database_has_nobody_anywhere(shop: Shop, name: str) -> None:
    shop.write()
    told = report(shop, name, "2026-01-01", "2026-01-31")
    assert all(str(figure.value) in {"0", "none (0 of 0)"} for figure in told.figures.values())


def test_before_everything_nobody_stood_anywhere(lived: Shop) -> None:
    told = report(lived, "funnel", "2020-01-01", "2020-01-31")
    assert figures(told) == {"customers": "0"}
    assert cells(told, "moves") == []
