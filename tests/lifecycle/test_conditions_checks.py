"""What support staff are shown of a condition."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automation.lifecycle.conditions import Check, Day, Name, Vocabulary, read_condition

VOCABULARY = Vocabulary(
    {
        "orders": Name("number"),
        "plan": Name("text"),
        "can_sms": Name("boolean"),
        "last_order": Name("instant"),
        "signed_up": Name("instant"),
        "stage": Name("text"),
        "days_in_stage": Name("number", days_of="stage_since"),
    },
    {"fan": ("loyal", "advocate"), "limbo": ()},
)
DAY = Day(datetime(2026, 6, 15, 4, tzinfo=UTC), ZoneInfo("Europe/Rome"))
FACTS: dict[str, Any] = {
    "orders": Decimal(3),
    "plan": "gold",
    "can_sms": False,
    # Half past midnight on the 14th in Rome.
    "last_order": datetime(2026, 6, 13, 22, 30, tzinfo=UTC),
    "stage": "fan",
    "stage_since": datetime(2026, 6, 1, 10, tzinfo=UTC),
}


def checks(text: str, **changed: Any) -> list[Check]:
    return read_condition(text, VOCABULARY).checks(FACTS | changed, DAY)


def test_every_comparison_is_listed_in_order_with_the_value_seen() -> None:
    assert checks('orders >= 5 and (plan in ("gold") or can_sms)') == [
        Check("orders >= 5", 3, passed=False),
        Check('plan in ("gold")', "gold", passed=True),
        Check("can_sms", value=False, passed=False),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("days_since(last_order) > 60", 1),
        ("days_until(last_order) > 60", -1),
        ("days_in_stage > 60", 14),
        ("last_order >= 2027-01-01", "2026-06-13T22:30:00Z"),
        ('role = "aware" or role = "loyal"', "loyal, advocate"),
        ("signed_up is set", None),
        ("last_order < signed_up", "2026-06-13T22:30:00Z and not set"),
        ("3.5 = orders", 3),
    ],
)
def test_the_value_seen_is_what_the_rule_speaks_of(text: str, value: Any) -> None:
    vocabulary = Vocabulary(VOCABULARY.names, {**VOCABULARY.stages, "new": ("aware",)})
    assert read_condition(text, vocabulary).checks(FACTS, DAY)[0].value == value


def test_a_decimal_amount_is_seen_as_a_number() -> None:
    assert checks("orders > 1", orders=Decimal("2.50")) == [Check("orders > 1", 2.5, passed=True)]


def test_a_stage_without_roles_or_one_that_is_gone_shows_no_role() -> None:
    for stage in ("limbo", "dropped_since", None):
        assert checks('role != "loyal"', stage=stage) == [Check('role != "loyal"', None, passed=False)]


def test_a_not_is_shown_with_each_comparison_it_turns() -> None:
    assert checks("not (can_sms or orders > 1)") == [
        Check("not can_sms", value=False, passed=True),
        Check("not orders > 1", 3, passed=False),
    ]
    assert checks("not not can_sms") == [Check("can_sms", value=False, passed=False)]


def test_days_to_the_end_of_the_calendar_are_counted() -> None:
    never = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    (check,) = checks("days_until(last_order) > 36500", last_order=never)
    assert check.passed
    assert check.value == (never.date() - DAY.now.date()).days
