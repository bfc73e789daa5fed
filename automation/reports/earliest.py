"""When it all began."""

from datetime import datetime

from sqlalchemy import Connection, func, select, union_all

from automation.database.schema import SHARDS, events


def earliest_event(connection: Connection) -> datetime | None:
    """The time of the first event of all; None without any. One look at the index a shard, instead of all of it."""
    each = union_all(
        *(select(func.min(events.c.time).label("time")).where(events.c.shard == shard) for shard in range(SHARDS))
    ).subquery("each")
    found: datetime | None = connection.execute(select(func.min(each.c.time))).scalar()
    return found
