"""The shapes of charts: nothing is drawn larger than it is, and nothing is left out."""

import re
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from automation.web.console.charts.areas import HEIGHT, WIDTH, areas
from automation.web.console.charts.flows import BODY, Flows, flows
from automation.web.console.charts.scale import top_of, written

STAGES = ("new", "buyer", "regular", "gone")
PAIRS = st.dictionaries(st.tuples(st.sampled_from(("", *STAGES)), st.sampled_from(STAGES)), st.integers(0, 10**7))
HISTORY = st.lists(
    st.tuples(st.integers(0, 400), st.dictionaries(st.sampled_from(STAGES), st.integers(0, 10**7))), max_size=12
)


def drawn(counts: dict[tuple[str, str], int]) -> Flows:
    return flows(counts, (*STAGES, ""), STAGES)


@given(PAIRS)
def test_every_customer_of_a_sankey_is_on_both_sides_and_in_one_ribbon(counts: dict[tuple[str, str], int]) -> None:
    found = drawn(counts)
    assert found.total == sum(counts.values())
    assert found.total == sum(node.count for node in found.left) == sum(node.count for node in found.right)
    assert found.total == sum(ribbon.count for ribbon in found.ribbons)
    for node in found.left:
        assert node.count == sum(one.count for one in found.ribbons if one.before == node.key)
    for node in found.right:
        assert node.count == sum(one.count for one in found.ribbons if one.after == node.key)


@given(PAIRS)
def test_the_nodes_of_a_column_never_touch_and_stay_on_the_paper(counts: dict[tuple[str, str], int]) -> None:
    found = drawn(counts)
    for column in (found.left, found.right):
        ends = [0.0, *(node.y + node.height for node in column)]
        assert all(node.y >= end for node, end in zip(column, ends, strict=False))
        assert ends[-1] <= found.height


def test_a_ribbon_is_as_thick_as_its_part() -> None:
    found = drawn({("new", "new"): 75, ("new", "buyer"): 25})
    heights = {node.key: node.height for node in found.right}
    assert heights == {"new": BODY * 0.75, "buyer": BODY * 0.25}
    assert found.left[0].height == BODY


def test_a_sankey_of_nobody_is_empty() -> None:
    assert drawn({}) == Flows([], [], [], 0, 0)
    assert drawn({("new", "elsewhere"): 3}).total == 0


@given(HISTORY)
def test_areas_lie_upon_each_other_and_below_the_top(history: list[tuple[int, dict[str, int]]]) -> None:
    counts = {date(2026, 1, 1) + timedelta(days=day): stages for day, stages in history}
    found = areas(counts, STAGES)
    if len(counts) < 2:
        assert found is None
        return
    assert found is not None
    assert found.top >= max(sum(stages.values()) for stages in counts.values())
    for area in found.areas:
        points = [tuple(map(float, point.split(","))) for point in area.points.split()]
        assert len(points) == 2 * len(counts)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
        there, back = points[: len(counts)], points[len(counts) :][::-1]
        assert all(above[0] == below[0] and above[1] <= below[1] for above, below in zip(there, back, strict=True))


@given(st.integers(0, 10**9))
def test_an_axis_ends_at_a_round_number_just_above(largest: int) -> None:
    top = top_of(largest)
    assert top % 2 == 0
    assert largest <= top <= max(2, 2 * largest)
    assert re.fullmatch(r"[1246]0*", str(top))


def test_numbers_are_written_short() -> None:
    assert [written(number) for number in (0, 100, 0.5, 1 / 3)] == ["0", "100", "0.5", "0.33"]
