"""What can be written, how it is read, and what it becomes in SQL."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Boolean, Column, Float, MetaData, String, Table
from sqlalchemy.dialects import sqlite

from automation.database.types import Instant
from automation.lifecycle.conditions import Condition, Day, Name, Vocabulary, read_condition

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
    {"aware": ("aware",), "fan": ("loyal", "advocate"), "regular": ("loyal",)},
)
FACTS = Table(
    "facts",
    MetaData(),
    Column("orders", Float),
    *(Column(name, String) for name in ("plan", "stage")),
    Column("can_sms", Boolean),
    *(Column(name, Instant) for name in ("last_order", "signed_up", "stage_since")),
)
DAY = Day(datetime(2026, 6, 15, 4, tzinfo=UTC), ZoneInfo("Europe/Rome"))


def read(text: str) -> Condition:
    return read_condition(text, VOCABULARY)


def sql(text: str) -> tuple[str, list[Any]]:
    compiled = read(text).sql(lambda name: FACTS.c[name], DAY).compile(dialect=sqlite.dialect())
    return str(compiled).replace("facts.", "").replace("\n", ""), list(compiled.params.values())


@pytest.mark.parametrize(
    ("text", "facts", "expected"),
    [
        ("orders = 3", {"orders": 3}, True),
        ("orders == -0.5", {"orders": -0.5}, True),
        ("3 <= orders", {"orders": 2}, False),
        ("orders BETWEEN 3 AND 7", {"orders": 7}, True),
        ("orders not between 3 and 7", {"orders": 7}, False),
        ("orders Not In (1,2)", {"orders": 3}, True),
        ("plan = 'it\\'s'", {"plan": "it's"}, True),
        ('plan = "a \\"b\\" \\\\"', {"plan": 'a "b" \\'}, True),
        ("plan = 'and'", {"plan": "and"}, True),
        ("can_sms", {"can_sms": True}, True),
        ("not can_sms", {"can_sms": True}, False),
        ("can_sms = FALSE", {"can_sms": False}, True),
        ("not not can_sms", {"can_sms": True}, True),
        ("orders > 1 or orders < 0 and can_sms", {"orders": 2, "can_sms": False}, True),
        ("(orders > 1 or orders < 0) and can_sms", {"orders": 2, "can_sms": False}, False),
        ("orders\n >= 1\n\tand can_sms", {"orders": 2, "can_sms": True}, True),
        ('stage = "fan"', {"stage": "fan"}, True),
        ('role = "loyal"', {"stage": "fan"}, True),
        ('role != "loyal"', {"stage": "fan"}, False),
        ('role in ("aware", "advocate")', {"stage": "regular"}, False),
        ('role not in ("aware", "advocate")', {"stage": "regular"}, True),
        ("role is set", {"stage": "aware"}, True),
    ],
)
def test_a_condition_reads_as_it_is_written(text: str, facts: dict[str, Any], expected: bool) -> None:
    assert read(text).holds(facts, DAY) is expected


@pytest.mark.parametrize(
    "text",
    [
        "orders = 3",
        "orders != 3",
        "orders < 3",
        "orders in (3)",
        "orders not in (3)",
        "orders not between 3 and 4",
        "plan != 'a'",
        "can_sms",
        "can_sms = false",
        "last_order != 2026-01-31",
        "days_since(last_order) >= -9",
        "last_order > signed_up",
        "last_order != last_order",
        'stage != "fan"',
        'role != "loyal"',
        "days_in_stage >= 0",
    ],
)
def test_a_comparison_with_a_fact_that_is_not_set_is_false_and_its_not_is_true(text: str) -> None:
    assert not read(text).holds({}, DAY)
    assert read(f"not {text}").holds({}, DAY)
    assert not read(f"not not {text}").holds({}, DAY)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("orders >= 1 and (can_sms or not orders = 7)", {"orders", "can_sms"}),
        ("last_order > signed_up", {"last_order", "signed_up"}),
        ('role = "loyal"', {"stage"}),
        ("days_in_stage > 3", {"stage_since"}),
        ("days_until(signed_up) < 2", {"signed_up"}),
    ],
)
def test_a_condition_tells_which_stored_names_it_reads(text: str, names: set[str]) -> None:
    assert read(text).names == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orders >= 1", ("orders >= ?", [1])),
        ("not orders >= 1", ("orders < ? OR orders IS NULL", [1])),
        (
            "not (orders >= 1 and can_sms)",
            ("orders < ? OR orders IS NULL OR can_sms != ? OR can_sms IS NULL", [1, True]),
        ),
        ("orders between 3 and 7", ("orders >= ? AND orders <= ?", [3, 7])),
        ("orders is set", ("orders IS NOT NULL", [])),
        ("not orders is set", ("orders IS NULL", [])),
        ("orders is not set", ("orders IS NULL", [])),
        ("days_in_stage > 3", ("stage_since < ?", [datetime(2026, 6, 11, 22, tzinfo=UTC)])),
        ("days_since(last_order) > 60", ("last_order < ?", [datetime(2026, 4, 15, 22, tzinfo=UTC)])),
        ("days_until(last_order) >= 1", ("last_order >= ?", [datetime(2026, 6, 15, 22, tzinfo=UTC)])),
        # Rome is an hour ahead of UTC in January.
        (
            "last_order = 2026-01-31",
            (
                "last_order >= ? AND last_order < ?",
                [datetime(2026, 1, 30, 23, tzinfo=UTC), datetime(2026, 1, 31, 23, tzinfo=UTC)],
            ),
        ),
    ],
)
def test_sql_compares_columns_with_bind_parameters_so_that_an_index_can_be_used(
    text: str, expected: tuple[str, list[Any]]
) -> None:
    assert sql(text) == expected


def test_a_role_becomes_the_stages_that_have_it() -> None:
    assert sql('role = "loyal"')[1] == ["fan", "regular"]
    assert sql('role != "loyal"')[1] == ["aware"]
    assert sql('not role = "loyal"')[0].endswith("OR stage IS NULL")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("days_since(last_order) > 1000000000", False),
        ("days_since(last_order) > -1000000000", True),
        ("days_until(last_order) <= 999999999999999", True),
        ("days_since(last_order) in (1000000000, 0)", True),
        ("last_order >= 0001-01-01 and last_order <= 9999-12-31", True),
    ],
)
def test_days_beyond_the_calendar_are_compared_like_any_other(text: str, expected: bool) -> None:
    assert read(text).holds({"last_order": DAY.now}, DAY) is expected
    assert all(isinstance(value, datetime) for value in sql(text)[1])


def test_a_cutoff_is_the_first_instant_of_a_local_date() -> None:
    assert DAY.cutoff(0) == datetime(2026, 6, 14, 22, tzinfo=UTC)
    assert DAY.cutoff(-90) == datetime(2026, 3, 16, 23, tzinfo=UTC)
    assert DAY.cutoff(10**9) == datetime.max.replace(tzinfo=UTC)
    assert DAY.cutoff(-(10**9)) == datetime.min.replace(tzinfo=UTC)
