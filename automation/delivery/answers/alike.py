"""The newest rows of the send log that are alike in something: playbook, step, channel, status, reason.

However many rows there are, few of these five together are different. So the groups are found first, by stepping from
one to the next in the index `messages_alike`; each gives its newest rows, and the newest of those are the answer. No
rare status or reason is looked for among millions of other rows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Subquery,
    func,
    literal,
    select,
    type_coerce,
    union_all,
)

from automation.database.schema import SENDING, SETTLED, messages
from automation.database.types import EPOCH, Instant, Key

ALIKE = ("playbook", "step", "channel", "status", "reason")
ROW = ("message_id", "planned_at")  # and no shard, which the id tells: PostgreSQL reads the index alone
Newest = Callable[..., Select[Any]]


def newest_alike(connection: Connection, wanted: Mapping[str, str], newest: Newest) -> Subquery:
    """ROW of messages: at least the newest with these values. `newest` cuts a selection of rows down to a span of time
    and to the newest so many.
    """
    kinds = _kinds(wanted)
    each = [_of_groups(connection, *one, newest) for one in _groups(kinds, wanted)]
    if wanted.get("status") in {None, "sending"}:
        each.append(_in_flight(wanted))
    return union_all(*each).subquery("alike")


def _in_flight(wanted: Mapping[str, str]) -> Select[Any]:
    """All of them: there are never many."""
    leased = messages.c.lease_until > EPOCH  # as all are: the index is by lease
    flying = select(*messages.c[*ROW, *ALIKE]).where(SENDING, leased).cte("flying").prefix_with("MATERIALIZED")
    return select(*flying.c[*ROW]).where(*(flying.c[name] == one for name, one in wanted.items()))


def _kinds(wanted: Mapping[str, str]) -> Subquery | CTE:
    """The first four of them that there are together."""
    found: Subquery | CTE = select(literal(1).label("one")).subquery("one")
    for name in ALIKE[:-1]:
        if name in wanted:
            found = select(found, literal(wanted[name], Key).label(name)).subquery(f"with_{name}")
        else:
            level = _each(found, name)
            found = select(level).where(level.c[name].is_not(None)).subquery(f"known_{name}")
    return found


def _each(known: Subquery | CTE, name: str) -> CTE:
    """Every value of one more column, each found from the one before; the last of each is NULL."""
    first = select(known, _next(known, name).label(name)).cte(f"each_{name}", recursive=True)
    following = select(*first.c[*known.c.keys()], _next(first, name, after=True)).where(first.c[name].is_not(None))
    return first.union_all(following)


def _next(known: FromClause, name: str, *, after: bool = False) -> ColumnElement[Any]:
    other = messages.alias("other")
    same = [other.c[key] == known.c[key] for key in known.c.keys() if key not in {"one", name}]  # noqa: SIM118 (SQLAlchemy's)
    later = [other.c[name] > known.c[name]] if after else []
    status = other.c.status != SETTLED.right  # as written in the index
    smallest = select(func.min(other.c[name])).where(*same, *later, status).correlate(known).scalar_subquery()
    return type_coerce(smallest, Key)


def _groups(kinds: Subquery | CTE, wanted: Mapping[str, str]) -> Sequence[tuple[FromClause, bool]]:
    """The groups that have a reason, and those that have none."""
    if "reason" in wanted:
        return [(select(kinds, literal(wanted["reason"], Key).label("reason")).subquery("groups"), True)]
    reasons = _each(kinds, "reason")
    return [(select(reasons).where(reasons.c.reason.is_not(None)).subquery("groups"), True), (kinds, False)]


def _of_groups(connection: Connection, groups: FromClause, has_reason: bool, newest: Newest) -> Select[Any]:
    """The newest rows of each group. They are put in order of the reason too, though it is one for all of them, because
    PostgreSQL does not see that in IS NULL, and would pass over the index.
    """
    of = messages.alias("of_group")
    names = ALIKE if has_reason else ALIKE[:-1]
    same = [of.c[name] == groups.c[name] for name in names]
    if not has_reason:
        same.append(of.c.reason.is_(None))
    rows = newest(select(*of.c[*ROW]).where(*same, of.c.status != SETTLED.right), of, ("reason",)).correlate(groups)
    if connection.dialect.name == "postgresql":
        each = rows.lateral("each")
        return select(*each.c[*ROW]).select_from(groups.join(each, literal(1) == 1))
    # SQLite has no lateral join, but a table made of JSON is made anew for each row of another.
    few = rows.subquery("few")
    when = type_coerce(few.c.planned_at, Integer)  # as SQLite keeps it
    listed = select(func.json_group_array(func.json_array(few.c.message_id, when))).scalar_subquery()
    each = func.json_each(listed).table_valued("value", name="each")
    read = [func.json_extract(each.c.value, f"$[{place}]", type_=Integer) for place in (0, 1)]
    columns: list[Any] = [read[0].label("message_id"), type_coerce(read[1], Instant()).label("planned_at")]
    return select(*columns).select_from(groups.join(each, literal(1) == 1))
