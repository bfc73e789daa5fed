"""One fact over the events of a customer: an aggregate in SQL, and what is made of its value afterwards."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, case, collate, distinct, func, literal, or_, true

from automation.customers.facts.definition import Fact
from automation.customers.facts.json_values import SEPARATOR, PostgresValues, Values
from automation.customers.facts.model import Range, Wanted
from automation.database.schema import events
from automation.database.types import MICROSECOND, Instant, Key

BOUNDS = {"above": gt, "at_least": ge, "at_most": le, "below": lt}


class Told:
    """An instant that is told when the statement is executed: built once, it serves for every instant."""

    def __clause_element__(self) -> BindParameter[datetime]:
        return bindparam("now", type_=Instant)

    def __sub__(self, window: timedelta) -> BindParameter[datetime]:
        return bindparam(f"now_less_{window // MICROSECOND}", type_=Instant)

    @staticmethod
    def values(now: datetime, windows: Iterable[timedelta]) -> dict[str, datetime]:
        """What to execute it with, when its facts look back so far."""
        return {"now": now} | {f"now_less_{window // MICROSECOND}": now - window for window in windows}


def aggregate(fact: Fact, values: Values, now: datetime | Told) -> ColumnElement[Any]:
    """The fact as of an instant, among a customer's events; `finished` makes its value of it."""
    found: ColumnElement[Any] = _measured(fact, values).filter(_such_events(fact, values, now))
    return found


def finished(fact: Fact, values: Values, found: ColumnElement[Any]) -> ColumnElement[Any]:
    """The fact's value, once a customer: written inside the pass, it would be done for every event of theirs."""
    if fact.is_packed:
        return _unpacked(fact, values, found)
    if fact.measure == "sum":
        return func.coalesce(values.rounded(found), 0)
    if fact.measure in {"count", "distinct"}:  # of whom there is no event there may be no row
        return func.coalesce(found, 0)
    return values.rounded(found) if fact.measure in {"min", "max"} and fact.type == "number" else found


def _measured(fact: Fact, values: Values) -> Any:
    if fact.measure == "count":
        return func.count()
    if fact.key == "time":
        return (func.min if fact.measure in {"first", "min"} else func.max)(events.c.time)
    if fact.measure == "distinct":
        return func.count(distinct(values.as_text(events.c.properties, fact.key, "text")))
    if fact.measure == "sum":
        value = values.value(events.c.properties, fact.key, "number")
        return func.sum(case((events.c.name.in_(fact.against), -value), else_=value) if fact.against else value)
    if fact.measure in {"min", "max"}:
        return getattr(func, fact.measure)(values.unrounded(events.c.properties, fact.key, fact.type))
    return (func.min if fact.measure == "first" else func.max)(_packed(fact, values))


def _packed(fact: Fact, values: Values) -> ColumnElement[Any]:
    """Time, id and value in one text, so that the value of the newest event is a plain max()."""
    written = values.as_text(events.c.properties, fact.key, fact.type)
    value = func.coalesce(literal("v") + written, "")
    return collate(values.sortable(events.c.time) + events.c.event_id + literal(SEPARATOR) + value, _byte_order(values))


def _unpacked(fact: Fact, values: Values, packed: ColumnElement[Any]) -> ColumnElement[Any]:
    place = func.strpos if isinstance(values, PostgresValues) else func.instr
    value = func.substr(packed, place(packed, SEPARATOR) + 1, type_=Key)
    return values.from_text(case((value != "", func.substr(value, 2, type_=Key))), fact.type)


def _byte_order(values: Values) -> str:
    return "C" if isinstance(values, PostgresValues) else "BINARY"


def _such_events(fact: Fact, values: Values, now: datetime | Told) -> ColumnElement[bool]:
    rules: list[ColumnElement[bool]] = [events.c.name.in_(fact.events)]
    if fact.within is not None:
        rules.append(events.c.time > now - fact.within)
    rules += [_is(values, key, wanted) for key, wanted in (fact.model.where or {}).items()]
    if fact.model.unless:
        left_out = or_(*(_is(values, key, wanted) for key, wanted in fact.model.unless.items()))
        rules.append(left_out.is_not(true()))  # of an event without the property nothing is true
    if fact.currency is not None:
        rules.append(currency_of(values, fact.home) == fact.currency)
    return and_(*rules)


def _is(values: Values, key: str, wanted: Wanted) -> ColumnElement[bool]:
    if isinstance(wanted, Range):
        value = values.value(events.c.properties, key, "number")
        return and_(*(BOUNDS[name](value, bound) for name, bound in wanted.model_dump(exclude_none=True).items()))
    return or_(*(_equals(values, key, one) for one in (wanted if isinstance(wanted, tuple) else (wanted,))))


def currency_of(values: Values, home: str) -> ColumnElement[str]:
    """Amounts of several currencies are never added together; one that names none is in the business's own."""
    named = func.upper(values.written(events.c.properties, "currency"))
    found: ColumnElement[str] = func.coalesce(func.nullif(named, ""), home)
    return found


def _equals(values: Values, key: str, wanted: bool | float | str) -> ColumnElement[bool]:
    if isinstance(wanted, bool):
        written = "true" if wanted else "false"
        return values.as_text(events.c.properties, key, "boolean") == written
    if isinstance(wanted, str):
        return values.is_text(events.c.properties, key, wanted)
    return values.value(events.c.properties, key, "number") == wanted
