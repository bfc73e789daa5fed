"""What the provider said of a chunk of calls, written down in one transaction: rows, its health, what it taught us."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from automation.customers.consent import lock_customers
from automation.customers.suppress import suppress_address, withdraw_consent
from automation.delivery.calls import Call
from automation.delivery.desk import Desk
from automation.delivery.health import trouble
from automation.delivery.health.refusals import answers, hold_recent, note_answers
from automation.delivery.health.standing import Standing, hold
from automation.delivery.record import record
from automation.delivery.replies import Refused, Reply
from automation.delivery.settle import Heard, settle
from automation.delivery.tally import Tally
from automation.faultpoints import reach


@dataclass(frozen=True)
class Posted:
    """A call with its replies, one a message; without any it was not posted. `began`: when, in real time."""

    call: Call
    replies: Sequence[Reply] = ()
    started_at: datetime | None = None
    began: datetime | None = None

    @property
    def heard(self) -> Iterator[Heard]:
        """What each row is told. The attempt began when its turn had come, not when it was decided."""
        for flight, reply, resend in zip(self.call.flights, self.replies, self.call.resend, strict=True):
            began = replace(flight, started_at=self.started_at or flight.started_at)
            yield Heard(began, reply, resend, self.call.key_until)


def hear(
    connection: Connection, desk: Desk, answered: Sequence[Posted], now: datetime, wall: datetime, tally: Tally
) -> list[Standing]:
    """Returns how the providers stand after it."""
    record(connection, desk, [settle(heard, now) for one in answered for heard in one.heard], now, tally)
    _note_health(
        connection, standings := hold(connection, {one.call.provider for one in answered}), answered, now, wall
    )
    lock_customers(connection, (person for one in answered for person in _concerned(one)))
    for one in answered:
        _learn(connection, one.call, one.replies, now)
    reach("recording")
    return list(standings.values())


def _note_health(
    connection: Connection, standings: dict[str, Standing], answered: Sequence[Posted], now: datetime, wall: datetime
) -> None:
    told = (
        (message.tag, reply) for one in answered for message, reply in zip(one.call.outgoing, one.replies, strict=True)
    )
    new = answers(told)
    held = hold_recent(connection, new)
    for key, standing in standings.items():
        calls = [trouble.Told(one.replies, one.began or wall) for one in answered if one.call.provider == key]
        trouble.note(connection, standing, calls, now, wall)
    note_answers(connection, held, new, now)


def _concerned(posted: Posted) -> Iterator[tuple[int, str]]:
    """The customers of whom the replies prove something."""
    for reply, person in zip(posted.replies, posted.call.customers, strict=True):
        if isinstance(reply, Refused) and reply.suppress is not None:
            yield person


def _learn(connection: Connection, call: Call, replies: Sequence[Reply], now: datetime) -> None:
    """A refusal that proves something about the address or the person is kept."""
    for reply, message, (shard, customer_id) in zip(replies, call.outgoing, call.customers, strict=True):
        if not isinstance(reply, Refused) or reply.suppress is None:
            continue
        if reply.suppress == "unsubscribed":
            withdraw_consent(connection, shard, customer_id, message.channel, call.provider, "provider", now)
        suppress_address(connection, message.channel, message.recipient, reply.suppress, call.provider, now)
