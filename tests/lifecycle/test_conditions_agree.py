"""Whatever a condition says, SQLite, PostgreSQL and Python say the same about every customer.

Each generated condition comes with its meaning, written down here a second time and as plainly as possible.
"""

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Column, Integer, MetaData, Select, Table, case, insert, select

from automation.database.engine import Database
from automation.database.types import Instant, Key, Number
from automation.lifecycle.conditions import Day, Name, Vocabulary, read_condition

Customer = dict[str, Any]
Meaning = Callable[[Customer, Day], bool]

STAGES = {"aware": ("aware",), "fan": ("loyal", "advocate"), "regular": ("loyal",), "limbo": ()}
VOCABULARY = Vocabulary(
    {
        **dict.fromkeys(("orders", "revenue"), Name("number")),
        **dict.fromkeys(("plan", "city", "stage"), Name("text")),
        **dict.fromkeys(("can_email", "vip"), Name("boolean")),
        **dict.fromkeys(("last_order", "signed_up"), Name("instant")),
        "days_in_stage": Name("number", days_of="stage_since"),
    },
    STAGES,
)
CUSTOMERS = Table(
    "people",
    MetaData(),
    Column("id", Integer, primary_key=True),
    *(Column(name, Number) for name in ("orders", "revenue")),
    *(Column(name, Key) for name in ("plan", "city", "stage")),
    *(Column(name, Boolean) for name in ("can_email", "vip")),
    *(Column(name, Instant) for name in ("last_order", "signed_up", "stage_since")),
    prefixes=["TEMPORARY"],
)

ROME, NEW_YORK = ZoneInfo("Europe/Rome"), ZoneInfo("America/New_York")
ORDER = {
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TEXTS = ["gold", "silver", "", "it's", 'say "hi"', "back\\slash", "żółw", "NULL", "%"]
DECIMALS = [Decimal(one) for one in ("0", "1", "-1", "3", "2.5", "0.1", "999999999.9999", "-999999999.9999", "0.0001")]


@dataclass(frozen=True)
class Said:
    """A condition and what it means."""

    text: str
    meaning: Meaning


@dataclass(frozen=True)
class World:
    """Where and around which local date it all happens."""

    zone: ZoneInfo
    date: date


WORLDS = [
    World(ROME, date(2026, 3, 29)),  # clocks go forward at 02:00
    World(ROME, date(2026, 10, 25)),  # and back at 03:00
    World(NEW_YORK, date(2026, 3, 8)),
    World(NEW_YORK, date(2026, 11, 1)),
    World(ZoneInfo("Africa/Cairo"), date(2026, 4, 24)),  # there is no midnight
    World(ZoneInfo("Asia/Kathmandu"), date(2026, 6, 15)),  # nothing happens
]


def quoted(text: str, mark: str) -> str:
    return mark + text.replace("\\", "\\\\").replace(mark, "\\" + mark) + mark


def texts(pool: Sequence[str] = TEXTS) -> st.SearchStrategy[tuple[str, Any]]:
    return st.builds(lambda text, mark: (quoted(text, mark), text), st.sampled_from(pool), st.sampled_from("\"'"))


def decimals() -> st.SearchStrategy[Decimal]:
    return st.one_of(st.sampled_from(DECIMALS), st.decimals(-(10**9), 10**9, places=4))


def numbers() -> st.SearchStrategy[tuple[str, Any]]:
    return decimals().map(lambda number: (f"{number:f}", number))


def day_numbers() -> st.SearchStrategy[tuple[str, Any]]:
    whole = st.integers(-4, 4) | st.sampled_from([10**9, -(10**9), 800_000, -800_000])
    return st.one_of(whole.map(Decimal), st.sampled_from([Decimal("0.5"), Decimal("-1.5")])).map(
        lambda number: (f"{number:f}", number)
    )


def dates(world: World) -> st.SearchStrategy[tuple[str, Any]]:
    return st.integers(-4, 4).map(lambda days: world.date + timedelta(days)).map(lambda day: (day.isoformat(), day))


def instants(world: World) -> st.SearchStrategy[datetime]:
    """Around the local midnights of some days before and after."""
    steps = st.sampled_from([timedelta(microseconds=1), timedelta(0), timedelta(hours=1), timedelta(hours=13)])

    def near(days: int, step: timedelta, sign: int) -> datetime:
        midnight = datetime.combine(world.date + timedelta(days), time(), world.zone)
        return midnight.astimezone(UTC) + sign * step

    sentinels = [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC), datetime(1, 1, 2, tzinfo=UTC)]
    return st.builds(near, st.integers(-5, 5), steps, st.sampled_from([-1, 1])) | st.sampled_from(sentinels)


def local(instant: datetime, day: Day) -> date:
    return instant.astimezone(day.zone).date()


def compared(subject: str, see: Callable[[Customer, Day], Any], values: Any, *, ordered: bool = True) -> Any:
    """Every way to compare something with values: `see` is what the customer has, None when it is not set."""

    def said(text: str, test: Callable[[Any], bool]) -> Said:
        return Said(text, lambda customer, day: (seen := see(customer, day)) is not None and test(seen))

    def listed(word: str, items: list[tuple[str, Any]]) -> Said:
        wanted = [value for _, value in items]
        text = f"{subject} {word} ({', '.join(written for written, _ in items)})"
        return said(text, lambda seen: (seen in wanted) == (word == "in"))

    def ranged(word: str, pair: list[tuple[str, Any]]) -> Said:
        (low, lowest), (high, highest) = sorted(pair, key=operator.itemgetter(1))
        text = f"{subject} {word} {low} AND {high}"
        return said(text, lambda seen: (lowest <= seen <= highest) == (word == "between"))

    signs = st.sampled_from(list(ORDER) if ordered else ["=", "==", "!="])
    ways = [
        st.builds(
            lambda sign, value: said(f"{subject}{sign}{value[0]}", lambda x: ORDER[sign](x, value[1])), signs, values
        ),
        st.builds(
            lambda sign, value: said(f"{value[0]} {sign} {subject}", lambda x: ORDER[sign](value[1], x)), signs, values
        ),
        st.builds(listed, st.sampled_from(["in", "not in"]), st.lists(values, min_size=1, max_size=4)),
        st.just(said(f"{subject} is SET", lambda _: True)),
        st.just(Said(f"{subject} IS not set", lambda customer, day: see(customer, day) is None)),
    ]
    if ordered:
        ways.append(
            st.builds(ranged, st.sampled_from(["between", "not between"]), st.lists(values, min_size=2, max_size=2))
        )
    return st.one_of(ways)


def stored(name: str) -> Callable[[Customer, Day], Any]:
    return lambda customer, _: customer[name]


def calendar_date(name: str) -> Callable[[Customer, Day], Any]:
    return lambda customer, day: local(customer[name], day) if customer[name] else None


def days(name: str, sign: int) -> Callable[[Customer, Day], Any]:
    return lambda customer, day: (
        sign * (local(day.now, day) - local(customer[name], day)).days if customer[name] else None
    )


def pairs() -> st.SearchStrategy[Said]:
    def pair(names: tuple[str, str], sign: str) -> Said:
        one, other = names

        def meaning(customer: Customer, _: Day) -> bool:
            both = customer[one], customer[other]
            return None not in both and bool(ORDER[sign](*both))

        return Said(f"{one} {sign} {other}", meaning)

    ordered = st.sampled_from([("orders", "revenue"), ("last_order", "signed_up"), ("signed_up", "signed_up")])
    return st.one_of(
        st.builds(pair, ordered, st.sampled_from(list(ORDER))),
        st.builds(pair, st.just(("plan", "city")), st.sampled_from(["=", "!="])),
    )


def roles() -> st.SearchStrategy[Said]:
    def see(customer: Customer, _: Day) -> Any:
        return STAGES.get(customer["stage"] or "") or None

    def role(word: str, wanted: list[str]) -> Said:
        items = ", ".join(quoted(one, '"') for one in wanted)
        text = f"role {word} ({items})" if "in" in word else f"role {word} '{wanted[0]}'"
        asked = set(wanted if "in" in word else wanted[:1])
        return Said(text, lambda c, d: bool(seen := see(c, d)) and bool(asked & set(seen)) == (word in ("=", "in")))

    wanted = st.lists(st.sampled_from(["aware", "loyal", "advocate"]), min_size=1, max_size=3)
    return st.one_of(
        st.builds(role, st.sampled_from(["=", "!=", "in", "not in"]), wanted),
        st.just(Said("role is set", lambda c, d: see(c, d) is not None)),
        st.just(Said("role is not set", lambda c, d: see(c, d) is None)),
    )


def leaves(world: World) -> st.SearchStrategy[Said]:
    booleans = st.sampled_from([("true", True), ("FALSE", False)])
    return st.one_of(
        compared("orders", stored("orders"), numbers()),
        compared("plan", stored("plan"), texts(), ordered=False),
        compared("stage", stored("stage"), texts(list(STAGES)), ordered=False),
        compared("vip", stored("vip"), booleans, ordered=False),
        st.just(Said("can_email", lambda customer, _: customer["can_email"] is True)),
        compared("last_order", calendar_date("last_order"), dates(world)),
        compared("days_since(last_order)", days("last_order", 1), day_numbers()),
        compared("days_until( signed_up )", days("signed_up", -1), day_numbers()),
        compared("days_in_stage", days("stage_since", 1), day_numbers()),
        pairs(),
        roles(),
    )


def conditions(world: World) -> st.SearchStrategy[Said]:
    def joined(inner: st.SearchStrategy[Said]) -> st.SearchStrategy[Said]:
        def negation(one: Said) -> Said:
            return Said(f"not ({one.text})", lambda customer, day: not one.meaning(customer, day))

        def both(one: Said, other: Said) -> Said:
            return Said(f"({one.text}) and\n({other.text})", lambda c, d: one.meaning(c, d) and other.meaning(c, d))

        def either(one: Said, other: Said) -> Said:
            return Said(f"({one.text}) OR ({other.text})", lambda c, d: one.meaning(c, d) or other.meaning(c, d))

        return st.one_of(inner.map(negation), st.builds(both, inner, inner), st.builds(either, inner, inner))

    bare_not = leaves(world).map(lambda one: Said(f"not {one.text}", lambda c, d: not one.meaning(c, d)))
    return st.recursive(leaves(world) | bare_not, joined, max_leaves=6)


def customers(world: World) -> st.SearchStrategy[list[Customer]]:
    def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return st.none() | values

    amount, instant = maybe(decimals()), maybe(instants(world))
    one = st.fixed_dictionaries(
        {
            **dict.fromkeys(("orders", "revenue"), amount),
            **dict.fromkeys(("plan", "city"), maybe(st.sampled_from(TEXTS))),
            "stage": maybe(st.sampled_from([*STAGES, "dropped_since"])),
            **dict.fromkeys(("can_email", "vip"), maybe(st.booleans())),
            **dict.fromkeys(("last_order", "signed_up", "stage_since"), instant),
        }
    )
    return st.lists(one, min_size=1, max_size=6)


@cache
def cases_in(world: World) -> st.SearchStrategy[tuple[Day, Said, list[Customer]]]:
    walls = st.sampled_from([time(0), time(0, 30), time(2, 30), time(6), time(23, 59, 59, 999999)])
    moments = walls.map(lambda wall: datetime.combine(world.date, wall, world.zone).astimezone(UTC))
    return st.tuples(moments.map(lambda now: Day(now, world.zone)), conditions(world), customers(world))


def cases() -> st.SearchStrategy[tuple[Day, Said, list[Customer]]]:
    return st.sampled_from(WORLDS).flatmap(cases_in)


def as_sql(said: Said, day: Day) -> Select[int, int]:
    condition = read_condition(said.text, VOCABULARY).sql(lambda name: CUSTOMERS.c[name], day)
    return select(CUSTOMERS.c.id, case((condition, 1), else_=0)).order_by(CUSTOMERS.c.id)


def test_both_databases_and_python_agree_with_the_meaning(database: Database) -> None:
    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(cases())
    def agree(given_case: tuple[Day, Said, list[Customer]]) -> None:
        day, said, people = given_case
        expected = [said.meaning(customer, day) for customer in people]
        connection.execute(CUSTOMERS.delete())
        connection.execute(insert(CUSTOMERS), [customer | {"id": number} for number, customer in enumerate(people)])
        asked = [bool(held) for _, held in connection.execute(as_sql(said, day))]
        condition = read_condition(said.text, VOCABULARY)
        assert asked == expected
        assert [condition.holds(customer, day) for customer in people] == expected

    with database.engine.connect() as connection:
        CUSTOMERS.create(connection)
        agree()
        connection.rollback()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(cases())
def test_when_every_check_passes_the_condition_holds_and_when_none_does_it_does_not(
    given_case: tuple[Day, Said, list[Customer]],
) -> None:
    day, said, people = given_case
    condition = read_condition(said.text, VOCABULARY)
    for customer in people:
        passed = {check.passed for check in condition.checks(customer, day)}
        if len(passed) == 1:
            assert condition.holds(customer, day) in passed


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(decimals(), decimals())
@example(Decimal("0.1"), Decimal("0.1"))
def test_a_float_compares_as_the_decimal_it_is_written_as(amount: Decimal, other: Decimal) -> None:
    condition = read_condition(f"orders >= {other:f} and revenue = {other:f}", VOCABULARY)
    day = Day(datetime(2026, 6, 15, tzinfo=UTC), ROME)
    expected = amount >= other
    assert condition.holds({"orders": float(amount), "revenue": float(other)}, day) == expected


def test_the_longest_and_the_deepest_condition_run_on_both_databases(database: Database) -> None:
    day = Day(datetime(2026, 6, 15, tzinfo=UTC), ROME)
    wide = " or ".join(["vip"] * 500)
    scattered = f"not days_since(last_order) in ({', '.join(str(2 * one) for one in range(498))})"
    deep = "vip"
    for number in range(20):
        deep = f"({deep}) {'and' if number % 2 else 'or'} can_email"
    people = [{"id": 1, "vip": True, "can_email": True, "last_order": day.now - timedelta(days=1)}]
    with database.engine.connect() as connection:
        CUSTOMERS.create(connection)
        connection.execute(insert(CUSTOMERS), people)
        for text in (wide, scattered, deep):
            (row,) = connection.execute(as_sql(Said(text, lambda *_: True), day))
            assert tuple(row) == (1, 1)
            assert read_condition(text, VOCABULARY).holds(people[0], day)
        connection.rollback()
