"""A year in which everything goes wrong keeps the promise, and the same seed tells the same story."""

from pathlib import Path

import pytest
from simulator.bugs import PLANTED
from simulator.kept import KEPT
from simulator.place import simulate

DAYS = 8
SEEDS = 10  # a bug that none of so many years shows is not found


def test_a_seed_tells_the_same_story_to_the_byte(migrated_sqlite: Path) -> None:
    first, second, other = (simulate(seed, DAYS, migrated_sqlite) for seed in (1, 1, 2))
    assert first.violations == other.violations == []
    assert first == second
    assert first.digest != other.digest


@pytest.mark.parametrize(("seed", "days", "what"), KEPT)
def test_what_once_went_wrong_goes_well(migrated_sqlite: Path, seed: int, days: int, what: str) -> None:
    del what
    assert simulate(seed, days, migrated_sqlite).violations == []


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_found(migrated_sqlite: Path, bug: str) -> None:
    seeds = range(PLANTED[bug].seed, PLANTED[bug].seed + SEEDS)
    with PLANTED[bug].planted():
        assert any(simulate(seed, DAYS, migrated_sqlite).violations for seed in seeds)
