"""Which stages customers went from and to, in order, with skips, or back."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, Integer, Select, cast, func, select, type_coerce

from automation.database.schema import Shards, stage_changes
from automation.reports.asked import Asked
from automation.reports.course import Course
from automation.reports.figures import Average, Figure, Report, Share, Table
from automation.reports.medians import median_of
from automation.reports.parts import parts
from automation.reports.standing import from_start_to_end, in_period, notes_on

ABOUT = (
    "Changes of stage in the period: forward to the next stage, skip to one further on, back to an earlier one. Median "
    "days are those spent in the stage before: half of the customers whose earlier change is known took longer."
)
MARKS = {"skip": "»", "back": "«"}
Days = Mapping[int, int]
HOW = {
    "forward": "Of all changes, those to the next stage.",
    "skip": "Of all changes, those that left out at least one stage.",
    "back": "Of all changes, those to an earlier stage.",
}


class Change(NamedTuple):
    """Customers who went the same way, and in how many days each of them did."""

    before: str | None
    after: str
    move: str
    customers: int
    days: Days


def report(asked: Asked) -> Report:
    """First entries stand apart: nobody moved from anywhere."""
    course = Course(asked.lifecycle)
    found = recorded(asked) if asked.in_use else _compared(asked, course)
    found.sort(key=lambda one: (_place(course, one.before), _place(course, one.after)))
    moved = [one for one in found if one.move != "first"]
    return Report(
        "transitions", asked.period, ABOUT, _figures(found), [_list(found), _matrix(course, moved)], notes_on(asked)
    )


def _figures(found: Sequence[Change]) -> dict[str, Figure]:
    by_move = Counter[str]()
    for one in found:
        by_move[one.move] += one.customers
    entered = by_move.pop("first", 0)
    moves = {move: Figure(move, Share(by_move[move], by_move.total()), about) for move, about in HOW.items()}
    return {**moves, "entered": Figure("entered", entered, "Customers who were placed for the first time.")}


def _list(found: Iterable[Change]) -> Table:
    columns = ("from", "to", "move", "customers", "median days")
    rows = [(one.before, one.after, one.move, one.customers, _median(one.days)) for one in found]
    return Table("changes", columns, rows, "Changes of stage", bars="customers")


def _median(days: Days) -> Average:
    return Average(median_of(days), sum(days.values()))


def _matrix(course: Course, moved: Sequence[Change]) -> Table:
    """Rows are where they came from, columns where they went: numbered, so that eight stages fit beside each other."""
    keys = course.in_order({*course.places, *(stage for one in moved for stage in (one.before or "", one.after))})
    numbers = {key: str(number) for number, key in enumerate(keys, start=1)}
    cells: dict[tuple[str | None, str], str] = defaultdict(str)
    for one in moved:
        cells[one.before, one.after] = f"{MARKS.get(one.move, '')}{one.customers:,}"
    rows = [(f"{numbers[before]} {before}", *(cells[before, after] for after in keys)) for before in keys]
    return Table("matrix", ("from, to", *numbers.values()), rows, "From (lines) to (columns); » skip, « back")


def _place(course: Course, stage: str | None) -> tuple[int, str]:
    return (-1, "") if stage is None else (course.places.get(stage, len(course.places)), stage)


def _compared(asked: Asked, course: Course) -> list[Change]:
    pairs = from_start_to_end(asked)
    return [Change(old, new, course.move(old, new), count, {}) for (old, new), count in pairs.items() if old != new]


def recorded(asked: Asked) -> list[Change]:
    counts: Counter[tuple[str | None, str, str]] = Counter()
    days: dict[tuple[str | None, str, str], Counter[int]] = defaultdict(Counter)
    for shards in parts(asked):
        for before, after, move, spent, count in asked.connection.execute(_by_days(asked, shards)):
            counts[before, after, move] += count
            if spent is not None:
                days[before, after, move][spent] += count
    return [Change(*way, count, days[way]) for way, count in counts.items()]


def _by_days(asked: Asked, shards: Shards) -> Select[Any]:
    """The changes of the period by way and by days since the customer's change before."""
    earlier = stage_changes.alias("earlier")
    before = (
        select(func.max(earlier.c.day))
        .where(earlier.c.shard == stage_changes.c.shard, earlier.c.customer_id == stage_changes.c.customer_id)
        .where(earlier.c.day < stage_changes.c.day)
        .scalar_subquery()
    )
    way = (stage_changes.c.from_stage, stage_changes.c.to_stage, stage_changes.c.move)
    days = _days_from(before, stage_changes.c.day, asked.dialect).label("days")
    each = select(*way, days).where(*in_period(asked, shards)).subquery("each")
    return select(*each.c, func.count()).group_by(*each.c)


def _days_from(earlier: ColumnElement[Any], later: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    if dialect == "postgresql":
        return type_coerce(cast(later, Date) - cast(earlier, Date), Integer)
    return cast(func.julianday(later) - func.julianday(earlier), Integer)
