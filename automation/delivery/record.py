"""Writing down what was heard: the rows, the attempts, the counts, and the passages whose step is over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from automation.delivery.desk import Desk
from automation.delivery.ledger import Record, record_replies
from automation.delivery.outcomes.evidence import MessageKey, settle_told
from automation.delivery.planning.plan import advance
from automation.delivery.settle import OVER
from automation.delivery.tally import Tally
from automation.delivery.told import PassageKey


def record(connection: Connection, desk: Desk, records: Sequence[Record], now: datetime, tally: Tally) -> None:
    """Write it down, and go on with those passages."""
    advance(connection, desk, note(connection, records, now, tally), now)


def note(connection: Connection, records: Sequence[Record], now: datetime, tally: Tally) -> list[PassageKey]:
    """What is not ours any more, because somebody took the row over, changes nothing. Returns whose step is over."""
    kept = record_replies(connection, records, now)
    told = settle_told(connection, [_key(one) for one in kept if one.values["status"] == "unknown"], now)
    for one in kept:
        tally.note("sent" if _key(one) in told else one.values["status"], one.values["reason"])
    over = [one.flight for one in kept if one.values["status"] in OVER and not one.flight.is_copy]
    return [(flight.shard, flight.enrollment_id) for flight in over]


def _key(record: Record) -> MessageKey:
    return (record.flight.shard, record.flight.message_id)
