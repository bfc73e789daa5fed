"""After downtime what has become too late, or has lost its reason, ends together and before anything is sent."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_

from automation.customers.facts.compute import facts_table
from automation.database.schema import Shards, messages, offers
from automation.delivery.cases import of_enrollment
from automation.delivery.desk import Desk
from automation.delivery.planning.doubtful import find_doubtful
from automation.delivery.planning.plan import Planned, decide_doubtful, plan_turns
from automation.playbooks.turns import give_turns


def end_late(connection: Connection, desk: Desk, shards: Shards, now: datetime) -> Planned:
    """Decide anew what is due and past its deadline, with an offer that expired, or about customers of whom something
    arrived. `skipped` counts what is over by its reason.
    """
    total = Planned()
    find_doubtful(connection, desk, and_(shards.each_of(messages), _late(desk, now)), now, now)
    decide_doubtful(connection, desk, now, total)
    if give_turns(connection, desk.book.playbooks, now):
        plan_turns(connection, desk, now, total)
    return total


def _late(desk: Desk, now: datetime) -> ColumnElement[bool]:
    facts = facts_table(desk.book.facts)
    return or_(
        messages.c.deadline < now,
        exists().where(of_enrollment(offers), offers.c.expires_at <= now),
        facts.c.stale.is_not(false()),
    )
