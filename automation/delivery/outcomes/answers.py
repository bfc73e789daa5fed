"""Who asks for help by a text is answered with one: the playbook that says `answers = "help"`."""

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, and_, insert, select, update

from automation.clock import local_date
from automation.database.hooks import TO_ANSWER, inbound_texts
from automation.database.schema import customers
from automation.database.temporary import empty, shard_column, temporary
from automation.database.types import Key
from automation.delivery.desk import Desk
from automation.delivery.planning.plan import Planned, plan_turns
from automation.playbooks.enroll import enter_one

MOST = 500
FRESH = timedelta(hours=6)  # later than this nobody waits for an answer
asking = temporary("asking", shard_column(), Column("customer_id", Key, primary_key=True))


def answer_texts(connection: Connection, desk: Desk, now: datetime) -> int:
    """Plan the answers to texts that wait for one. Returns how many waited.

    A number to which we never wrote has no customer, and gets none: its text is there for whoever reads them.
    """
    asker = and_(
        customers.c.shard == inbound_texts.c.shard,
        customers.c.customer_id == inbound_texts.c.customer_id,
        customers.c.phone == inbound_texts.c.sender,  # or the answer would go to another number
    )
    waiting = select(*inbound_texts.c["number", "received_at"], *customers.c["shard", "customer_id"]).where(TO_ANSWER)
    waiting = waiting.outerjoin_from(inbound_texts, customers, asker).order_by(inbound_texts.c.number).limit(MOST)
    rows = connection.execute(waiting).all()
    if not rows:
        return 0
    keys = {(row.shard, row.customer_id) for row in rows if row.customer_id and row.received_at > now - FRESH}
    today = local_date(now, desk.settings.business.zone)
    helping = [one for one in desk.book.playbooks.values() if one.model.answers == "help" and one.takes(today)]
    for playbook in helping if keys else ():
        empty(connection, asking)
        connection.execute(insert(asking), [{"shard": shard, "customer_id": one} for shard, one in sorted(keys)])
        enter_one(connection, playbook, asking, desk.day(now))
        plan_turns(connection, desk, now, Planned())
    mine = inbound_texts.c.number.in_([row.number for row in rows])
    connection.execute(update(inbound_texts).where(mine).values(answered_at=now))
    return len(rows)
