"""Differences of two shares: known answers, and what holds for any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.reports.figures import Share
from automation.reports.lift import Lift, wilson
from automation.reports.lift_words import in_words

# R. G. Newcombe, Statistics in Medicine 17 (1998), table II, method 10.
PUBLISHED = [
    ((56, 70), (48, 80), (0.0524, 0.3339)),
    ((9, 10), (3, 10), (0.1705, 0.8090)),
    ((6, 7), (2, 7), (0.0582, 0.8062)),
    ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ((0, 10), (0, 20), (-0.1611, 0.2775)),
    ((0, 10), (0, 10), (-0.2775, 0.2775)),
    ((10, 10), (0, 20), (0.6791, 1.0)),
    ((10, 10), (0, 10), (0.6075, 1.0)),
]


@st.composite
def shares(draw: st.DrawFn) -> Share:
    whole = draw(st.integers(1, 5000))
    return Share(draw(st.integers(0, whole)), whole)


def lift(ours: tuple[int, int], theirs: tuple[int, int]) -> Lift:
    return Lift(Share(*ours), Share(*theirs))


@pytest.mark.parametrize(("ours", "theirs", "interval"), PUBLISHED)
def test_the_interval_is_the_published_one(
    ours: tuple[int, int], theirs: tuple[int, int], interval: tuple[float, float]
) -> None:
    assert lift(ours, theirs).interval == pytest.approx(interval, abs=0.00006)


def test_the_difference_of_four_fifths_and_three_fifths() -> None:
    found = lift((56, 70), (48, 80))
    assert found.difference == pytest.approx(0.2)
    assert found.relative == pytest.approx(1 / 3)
    assert found.p_value == pytest.approx(0.0080, abs=0.0001)  # z = 2.652
    assert found.is_clear


def test_the_lady_tasting_tea() -> None:
    """R. A. Fisher, The Design of Experiments (1935): 3 of 4 against 1 of 4; 4 of 4 against none."""
    assert lift((3, 4), (1, 4)).p_value == pytest.approx(34 / 70)
    assert lift((4, 4), (0, 4)).p_value == pytest.approx(2 / 70)


def test_few_in_a_large_crowd_are_tested_exactly() -> None:
    """Three of three fell into the larger group of a thousand: with 90 % of all, that happens by itself."""
    found = lift((3, 900), (0, 100))
    assert found.p_value == pytest.approx(1.0)
    assert not found.is_clear


def test_groups_that_do_not_differ_at_all() -> None:
    for found in (lift((0, 50), (0, 50)), lift((50, 50), (70, 70))):
        assert found.difference == 0
        assert found.p_value == pytest.approx(1.0)
        assert not found.is_clear


def test_nothing_is_told_of_an_empty_group() -> None:
    for found in (lift((0, 0), (0, 0)), lift((5, 10), (0, 0)), lift((0, 0), (5, 10))):
        told = (found.difference, found.relative, found.interval, found.p_value)
        assert told == (None, None, None, None)
        assert not found.is_clear
        assert "nothing to compare" in in_words(found, "who were written to", "who were not", "ordered")


def test_nothing_is_told_in_proportion_to_none() -> None:
    assert lift((5, 10), (0, 10)).relative is None


@given(shares(), shares())
def test_the_interval_holds_the_difference_and_mirrors(one: Share, two: Share) -> None:
    found, other = Lift(one, two), Lift(two, one)
    assert found.interval
    assert other.interval
    assert found.difference is not None
    assert -1 <= found.interval[0] <= found.difference + 1e-12
    assert found.difference - 1e-12 <= found.interval[1] <= 1
    assert other.interval == pytest.approx((-found.interval[1], -found.interval[0]))
    assert other.p_value == pytest.approx(found.p_value)
    assert found.p_value is not None
    assert 0 <= found.p_value <= 1


@given(shares(), shares(), st.integers(2, 20))
def test_the_interval_shrinks_with_the_sample(one: Share, two: Share, times: int) -> None:
    few = Lift(one, two).interval
    many = Lift(Share(one.part * times, one.whole * times), Share(two.part * times, two.whole * times)).interval
    assert few
    assert many
    assert many[1] - many[0] < few[1] - few[0]


@given(shares())
def test_a_share_lies_in_its_own_interval(share: Share) -> None:
    low, high = wilson(share)
    assert 0 <= low <= share.part / share.whole <= high <= 1


def test_a_sentence_says_when_the_sample_is_too_small() -> None:
    told = in_words(lift((80, 1000), (6, 111)), "who were written to", "who were not", "ordered")
    assert told == (
        "Of 1,000 who were written to 80 (8.0 %) ordered, of 111 who were not 6 (5.4 %): the sample is too small to "
        "tell this from chance, the true difference may lie anywhere between -3.5 and +6.0 points."
    )


def test_a_sentence_says_what_was_gained_or_lost() -> None:
    more = in_words(lift((800, 10_000), (50, 1_000)), "who were written to", "who were not", "ordered")
    assert more.endswith(
        "of 1,000 who were not 50 (5.0 %): 3.0 points more, and the true difference most likely lies between +1.4 and "
        "+4.3 points."
    )
    fewer = in_words(lift((50, 1_000), (800, 10_000)), "who got it", "who did not", "ordered")
    assert "3.0 points fewer" in fewer
