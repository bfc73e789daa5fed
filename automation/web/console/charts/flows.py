"""A Sankey of two columns: from where customers stood to where they stand. Nothing in it goes round in a circle."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from automation.web.console.charts.scale import written

# As wide as a telephone, so that the words in it can be read there.
WIDTH, BODY, GAP, NODE = 360, 300, 8, 10
LOWEST = 15  # a node is at least as high as its label
LEFT, RIGHT = NODE, WIDTH - NODE

Pair = tuple[str, str]


@dataclass(frozen=True)
class Node:
    """`y` is its upper edge; `place` tells groups apart by color."""

    key: str
    place: int
    y: float
    height: float
    count: int


@dataclass(frozen=True)
class Ribbon:
    before: str
    after: str
    place: int
    count: int
    path: str


@dataclass(frozen=True)
class Flows:
    """`left` and `right` are the nodes in their order; whoever is counted in one is in one of the other."""

    left: Sequence[Node]
    right: Sequence[Node]
    ribbons: Sequence[Ribbon]
    height: float
    total: int


def flows(counts: Mapping[Pair, int], before: Sequence[str], after: Sequence[str]) -> Flows:
    """`before` and `after` give the order; who is in neither is not drawn. Nothing of nothing."""
    drawn = {pair: count for pair, count in counts.items() if count > 0 and pair[0] in before and pair[1] in after}
    total = sum(drawn.values())
    scale = BODY / total if total else 0
    left = _column(before, _summed(drawn, 0), scale)
    right = _column(after, _summed(drawn, 1), scale)
    ribbons = _ribbons(drawn, {node.key: node for node in left}, {node.key: node for node in right}, scale)
    height = max((node.y + node.height for node in (*left, *right)), default=0)
    return Flows(left, right, ribbons, height, total)


def _summed(drawn: Mapping[Pair, int], end: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for pair, count in drawn.items():
        found[pair[end]] += count
    return found


def _column(order: Sequence[str], counts: Mapping[str, int], scale: float) -> list[Node]:
    nodes, y = [], 0.0
    for place, key in enumerate(order):
        if key in counts:
            height = max(counts[key] * scale, LOWEST)
            nodes.append(Node(key, place, y, height, counts[key]))
            y += height + GAP
    return nodes


def _ribbons(
    drawn: Mapping[Pair, int], left: Mapping[str, Node], right: Mapping[str, Node], scale: float
) -> list[Ribbon]:
    """From the top of each node on, in the order of the nodes on the other side, so that few cross."""
    at_left, at_right = _starts(left.values(), scale), _starts(right.values(), scale)
    found = []
    for before, after in sorted(drawn, key=lambda pair: (left[pair[0]].place, right[pair[1]].place)):
        thick = drawn[before, after] * scale
        path = _band(at_left[before], at_right[after], thick)
        found.append(Ribbon(before, after, left[before].place, drawn[before, after], path))
        at_left[before] += thick
        at_right[after] += thick
    return found


def _starts(nodes: Iterable[Node], scale: float) -> dict[str, float]:
    """Where the first ribbon of a node begins: in the middle of one that is higher than what it counts."""
    return {node.key: node.y + (node.height - node.count * scale) / 2 for node in nodes}


def _band(start: float, end: float, thick: float) -> str:
    middle = WIDTH / 2
    there = f"M{LEFT} {written(start)}C{middle:g} {written(start)} {middle:g} {written(end)} {RIGHT} {written(end)}"
    low, back = written(end + thick), written(start + thick)
    return f"{there}V{low}C{middle:g} {low} {middle:g} {back} {LEFT} {back}Z"
