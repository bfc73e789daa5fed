"""Movement over dates that somebody chose: counted once, and known until the next run changes where anybody stands."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager
from threading import Lock

from sqlalchemy import Connection, func, select

from automation.database.work import runs
from automation.reports.asked import Asked
from automation.reports.moved import Moved, moved

MOST_KNOWN = 200
KNOWN: "OrderedDict[Hashable, Moved]" = OrderedDict()
COUNTING = Lock()  # one at a time: each reads all changes of its period


def moves(reading: Callable[[], AbstractContextManager[Connection]], asked: Callable[[Connection], Asked]) -> Moved:
    """Whoever waits for another's counting holds no connection meanwhile."""
    with reading() as connection:
        known = KNOWN.get(_key(asked(connection)))
    if known is not None:
        return known
    with COUNTING, reading() as connection:
        one = asked(connection)
        key = _key(one)
        if key not in KNOWN:
            KNOWN[key] = moved(one)
        while len(KNOWN) > MOST_KNOWN:
            KNOWN.popitem(last=False)
        return KNOWN[key]


def _key(asked: Asked) -> Hashable:
    newest = asked.connection.execute(select(func.max(runs.c.finished_at))).scalar()
    return asked.connection.engine.url, asked.period, newest
