"""Mistakes, planted into workers of the self-test when they are born: it must find each of them."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import ModuleType
from typing import Any

import httpx
from sqlalchemy import Connection, select, update

from automation.database.schema import PLANNED, SENDING, messages
from automation.delivery import cases, dispatch, hearing, ledger, prepare
from automation.delivery.cases import MessageKey
from automation.delivery.health import pace
from automation.delivery.ledger import OF, Claimed, Flight
from automation.delivery.providers import ADAPTERS
from automation.delivery.recovery import recover
from automation.delivery.replies import Unknown
from automation.delivery.settle import Heard, settle


def plant(module: ModuleType, **mistakes: Any) -> None:
    for name, mistake in mistakes.items():
        assert hasattr(module, name)
        setattr(module, name, mistake)


def blind_requeue() -> None:
    """Whatever was in flight when a worker died goes back into the queue."""

    def requeue(connection: Connection, *_: Any) -> list[Any]:
        again = {"status": "planned", "worker": None, "lease_until": None, "attempts": 0}
        connection.execute(update(messages).where(SENDING).values(again))
        return []

    plant(dispatch, recover=requeue)


def new_key_per_attempt() -> None:
    adapter: Any = ADAPTERS["resend"]
    honest = adapter.request

    def request(outgoing: Any, account: Any, key: str | None) -> httpx.Request:  # noqa: ARG001 (that is the mistake)
        made: httpx.Request = honest(outgoing, account, secrets.token_hex(20))
        return made

    adapter.request = request


def record_before_post() -> None:
    """A row is shown as sent before anybody has taken it."""
    honest = ledger.begin_sending

    def begin_sending(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        honest(connection, rows)
        for row in rows:
            mine = (messages.c.shard == row["of_shard"], messages.c.message_id == row["of_id"])
            now = row["first_used_at"]
            over = {"status": "sent", "sent_at": now, "finished_at": now, "lease_until": None, "worker": None}
            connection.execute(update(messages).where(*mine).values(over))

    plant(prepare, begin_sending=begin_sending)


def no_claim() -> None:
    """Two workers may take the same row."""

    def claim_due(connection: Connection, channel: str, now: datetime, limit: int) -> list[Claimed]:
        due = select(messages.c.shard, messages.c.message_id, messages.c.version_id)
        due = due.where(PLANNED, messages.c.channel == channel, messages.c.due_at <= now)
        due = due.order_by(messages.c.due_at, messages.c.message_id).limit(limit)
        return [Claimed(*row) for row in connection.execute(due)]

    plant(prepare, claim_due=claim_due)


def cap_read_outside() -> None:
    """What a customer got is read before the transaction that decides, when nobody had got anything."""
    plant(cases, _traffic=lambda *_: {})
    one_at_a_time()


def one_at_a_time() -> None:
    """No mistake: two workers take turns."""
    plant(pace, CLAIM=1)


def unlock_without_owner() -> None:
    """Whoever comes late writes over what another worker has found out."""
    honest = ledger.attempt_row

    def attempt_row(record: Any, now: datetime) -> dict[str, Any]:
        return {**honest(record, now), "number": record.flight.attempt + 1}

    def still_ours(_: Connection, flights: Sequence[Flight]) -> set[MessageKey]:
        return {(one.shard, one.message_id) for one in flights}

    plant(ledger, _still_ours=still_ours, IN_FLIGHT=OF, attempt_row=attempt_row)


def lost_unknown() -> None:
    """A message nobody knows of is shown as failed."""

    def certain(heard: Heard, now: datetime) -> Any:
        record = settle(heard, now)
        if not isinstance(heard.reply, Unknown):
            return record
        return replace(record, values={**record.values, "status": "failed", "lease_until": None})

    plant(hearing, settle=certain)
    plant(recover, settle=certain)
