"""Movement over dates that somebody chose: counted once, and known until the next run changes where anybody stands."""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock

from sqlalchemy import func, select

from automation.database.work import runs
from automation.reports.asked import Asked
from automation.reports.moved import Moved, moved

Moves = Mapping[tuple[str, str], int]
MOST_KNOWN = 200
KNOWN: "OrderedDict[Hashable, Moved]" = OrderedDict()
COUNTING = Lock()  # one at a time: each reads all changes of its period


def moves(asked: Asked) -> Moved:
    newest = asked.connection.execute(select(func.max(runs.c.finished_at))).scalar()
    key = (asked.connection.engine.url, asked.period, newest)
    with COUNTING:
        if key not in KNOWN:
            KNOWN[key] = moved(asked)
        KNOWN.move_to_end(key)
        while len(KNOWN) > MOST_KNOWN:
            KNOWN.popitem(last=False)
        return KNOWN[key]
