"""Conditions as whoever does not write them reads them."""

from pathlib import Path

import pytest

from automation.lifecycle.conditions import Name, Vocabulary, read_condition
from automation.lifecycle.conditions.words import clauses
from automation.playbooks.load import read_book
from automation.settings import load

ROOT = Path(__file__).parents[2]
VOCABULARY = Vocabulary(
    {
        "orders": Name("number"),
        "points": Name("number"),
        "plan": Name("text"),
        "can_sms": Name("boolean"),
        "last_order": Name("instant"),
        "trial_ends": Name("instant"),
        "stage": Name("text"),
        "days_in_stage": Name("number", days_of="stage_since"),
    },
    {"aware": ("aware",), "fan": ("loyal", "advocate"), "regular_one": ("loyal",)},
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("orders >= 1", ["orders at least 1"]),
        ("orders = 0 and can_sms", ["orders exactly 0", "can sms"]),
        ("not can_sms", ["not can sms"]),
        ("can_sms = false", ["not can sms"]),
        ("days_since(last_order) > 120", ["last order more than 120 days ago"]),
        ("not days_since(last_order) <= 7", ["last order more than 7 days ago, or never"]),
        ("days_until(trial_ends) between 1 and 3", ["trial ends in 1 to 3 days"]),
        ("days_in_stage >= 14", ["in this stage for at least 14 days"]),
        ("last_order is set", ["last order is known"]),
        ("not last_order is set", ["last order is not known"]),
        ("last_order < 2026-01-31", ["last order before 2026-01-31"]),
        ('plan in ("plus", "very_big")', ["plan is one of plus, very big"]),
        ('not plan = "plus"', ["plan is not plus, or not known"]),
        ('role = "loyal"', ["stage is one of fan, regular one"]),
        ("points > orders", ["points more than orders"]),
        (
            "orders >= 1 and (can_sms or orders < 5 and points != 3)",
            ["orders at least 1", "can sms or (orders less than 5 and points other than 3)"],
        ),
    ],
)
def test_a_condition_is_told_in_words(text: str, told: list[str]) -> None:
    assert clauses(read_condition(text, VOCABULARY)) == told


def test_every_shipped_condition_can_be_told() -> None:
    book = read_book(load(ROOT / "config.toml"))
    conditions = [one for playbook in book.playbooks.values() for one in playbook.conditions]
    conditions += [stage.when for stage in book.lifecycle.stages if stage.when]
    told = [clause for condition in conditions for clause in clauses(condition)]
    assert len(told) > len(conditions) > 30
    assert not any(sign in clause for clause in told for sign in ("_", "{", "<", ">="))
