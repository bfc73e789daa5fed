"""A withdrawal against the sending, at a small count; `python tests/faults/races.py` runs a thousand."""

import pytest
from races import main, race
from shop import Shop


def test_no_post_begins_after_the_commit_of_a_withdrawal(shop: Shop) -> None:
    outcome = race(shop, 20)
    assert outcome.late == []
    assert outcome.ok
    assert outcome.lag < 5


def test_the_command_tells_who_came_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--races", "5"]) == 0
    assert capsys.readouterr().out.startswith("5 races: ")
