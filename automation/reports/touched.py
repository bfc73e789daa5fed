"""What happened in the period, along the indexes by time: visits and what came of them, renewals, messages sent."""

from collections import Counter
from typing import Any

from sqlalchemy import Select, exists, func, not_, select

from automation.customers.facts.compute import same_customer
from automation.database.schema import Shards, events, messages
from automation.reports.asked import Asked
from automation.reports.happened import Happened
from automation.reports.parts import parts
from automation.reports.sent import sent_in_period


def period_counted(asked: Asked) -> Counter[str]:
    """visits, visitors, acted, renewals, cancellations, conversations."""
    found: Counter[str] = Counter()
    for shards in parts(asked):
        for query in (_visitors(asked, shards), _times(asked, shards)):
            found.update(
                {name: int(count or 0) for name, count in asked.connection.execute(query).mappings().one().items()}
            )
    return found


def contacts_counted(asked: Asked) -> Counter[str]:
    """contacts: messages sent in the period; potential: those to customers who had not ordered by then."""
    return Counter(dict(asked.connection.execute(_contacts(asked)).mappings().one()))


def _visitors(asked: Asked, shards: Shards) -> Select[Any]:
    named, happened = asked.settings.reports, Happened(asked)
    visited = func.count().filter(events.c.name.in_(named.visits)).label("visits")
    acted = func.count().filter(events.c.name.in_(named.actions)).label("actions")
    each = (
        select(visited, acted)
        .where(*happened.within((*named.visits, *named.actions), shards))
        .group_by(events.c.shard, events.c.customer_id)
        .subquery("each")
    )
    counts: list[Any] = [
        func.coalesce(func.sum(each.c.visits), 0).label("visits"),
        func.count().filter(each.c.visits > 0).label("visitors"),
        func.count().filter(each.c.visits > 0, each.c.actions > 0).label("acted"),
    ]
    return select(*counts)


def _times(asked: Asked, shards: Shards) -> Select[Any]:
    named = asked.settings.reports
    kinds = {
        "renewals": named.renewals,
        "cancellations": named.cancellations,
        "conversations": named.conversations,
    }
    counts: list[Any] = [func.count().filter(events.c.name.in_(names)).label(kind) for kind, names in kinds.items()]
    names = {name for kind in kinds.values() for name in kind}
    return select(*counts).where(*Happened(asked).within(sorted(names), shards))


def _contacts(asked: Asked) -> Select[Any]:
    happened = Happened(asked)
    ordered = exists().where(same_customer(events, messages), events.c.time <= messages.c.sent_at, happened.is_order)
    counts: list[Any] = [func.count().label("contacts"), func.count().filter(not_(ordered)).label("potential")]
    return select(*counts).where(*sent_in_period(asked))
