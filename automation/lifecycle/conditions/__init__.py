"""The language of `when` and `exit_when`: one text, read once, asked in SQL or in Python with the same answer."""

from automation.lifecycle.conditions.condition import Condition
from automation.lifecycle.conditions.days import Day
from automation.lifecycle.conditions.error import ConditionError
from automation.lifecycle.conditions.holds import Check
from automation.lifecycle.conditions.read import read_condition, read_condition_in
from automation.lifecycle.conditions.vocabulary import RESERVED, Name, Vocabulary

__all__ = [
    "RESERVED",
    "Check",
    "Condition",
    "ConditionError",
    "Day",
    "Name",
    "Vocabulary",
    "read_condition",
    "read_condition_in",
]
