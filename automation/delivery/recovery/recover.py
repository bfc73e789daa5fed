"""What becomes of calls that nobody holds any more, before anything new is sent."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from automation.database.brake import brake
from automation.delivery.calls import LEASE, Call, resends
from automation.delivery.desk import Desk
from automation.delivery.outcomes.evidence import settle_told
from automation.delivery.planning.plan import advance
from automation.delivery.providers import Account
from automation.delivery.record import note
from automation.delivery.recovery.lost import (
    WORKER_LOST,
    begin_again,
    give_up,
    lost_calls,
    lost_flight,
    note_lost,
    put_off,
)
from automation.delivery.recovery.repeat import Repeat, Wait, flight_again, key_until, repeated
from automation.delivery.replies import Unknown
from automation.delivery.settle import Heard, settle
from automation.delivery.tally import Tally
from automation.delivery.told import PassageKey

AT_ONCE, MOST_AGAIN = 100, 100  # calls: looked at together, posted again by one dispatch
SHORTEST_WAIT = timedelta(seconds=1)


def recover(
    connection: Connection, desk: Desk, accounts: Mapping[str, Account], worker: str, now: datetime, tally: Tally
) -> list[Call]:
    """Calls to post again, where a key makes it safe. Of the others nobody knows: they say so, or go again where the
    playbook says so.
    """
    again: list[Call] = []
    over: list[PassageKey] = []
    while len(again) < MOST_AGAIN and (calls := lost_calls(connection, now, AT_ONCE)):
        for rows in calls:
            match repeated(connection, desk, rows, accounts.get(rows[0].provider), now):
                case Repeat() as repeat:
                    again.append(_begin_again(connection, desk, rows, repeat, worker, now))
                case Wait(until):
                    note_lost(connection, rows, now)
                    put_off(connection, rows, max(until, now + SHORTEST_WAIT))
                case None:
                    over += _give_up(connection, desk, rows, now, tally)
    # Once, at the end: whoever locks shards twice may wait for somebody who waits for them.
    advance(connection, desk, over, now)
    return again


def _begin_again(
    connection: Connection, desk: Desk, rows: Sequence[Row[Any]], repeat: Repeat, worker: str, now: datetime
) -> Call:
    provider = desk.settings.providers[rows[0].provider]
    flights = [flight_again(row, now) for row in rows]
    note_lost(connection, rows, now)
    begin_again(connection, flights, worker, now + provider.timeout + LEASE)
    until = key_until(provider, rows[0].first_used_at)
    people = [(row.shard, row.customer_id) for row in rows]
    return Call(
        rows[0].provider,
        repeat.key,
        repeat.outgoing,
        flights,
        people,
        [False] * len(rows),
        brake(connection),
        min(now + LEASE, repeat.good_until),
        repeat.request,
        until,
    )


def _give_up(
    connection: Connection, desk: Desk, rows: Sequence[Row[Any]], now: datetime, tally: Tally
) -> list[PassageKey]:
    """Returns the passages whose step is over."""
    if rows[0].idempotency_key is None:
        return note(connection, [settle(_heard(desk, row), now) for row in rows], now, tally)
    note_lost(connection, rows, now)
    give_up(connection, rows, now)
    told = settle_told(connection, [(row.shard, row.message_id) for row in rows], now)
    tally.statuses["sent"] += len(told)
    tally.statuses["unknown"] += len(rows) - len(told)
    return [(row.shard, row.enrollment_id) for row in rows if row.again_of is None]


def _heard(desk: Desk, row: Row[Any]) -> Heard:
    known = row.provider in desk.settings.providers
    resend = known and resends(desk, row.playbook, row.step, row.provider)
    return Heard(lost_flight(row), Unknown(WORKER_LOST), resend)
