"""The calls that post what is ready: split before the first attempt, and what the ledger keeps of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from automation.delivery.cases import Loaded
from automation.delivery.compose import Composed
from automation.delivery.desk import Desk
from automation.delivery.ledger import Flight
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account, batches
from automation.delivery.recovery.repeat import hash_of_request, key_until
from automation.delivery.settle import ALONE

LEASE = timedelta(minutes=5)  # beyond the provider's timeout


@dataclass(frozen=True)
class Call:
    """One HTTP call: messages in order, a flight for each, and what to do with those nobody can answer for.

    It may be posted until `good_until`, so that it ends within its lease, and while the brake has the number it had
    when the call was decided. Where the provider remembers keys, `request` are the exact bytes and `key_until` is how
    long it does.
    """

    provider: str
    key: str | None
    outgoing: Sequence[Outgoing]
    flights: Sequence[Flight]
    customers: Sequence[tuple[int, str]]
    resend: Sequence[bool]
    brake: int
    good_until: datetime
    request: httpx.Request | None = None
    key_until: datetime | None = None


@dataclass(frozen=True)
class Ready:
    """A message that may go, and what is to be posted."""

    loaded: Loaded
    composed: Composed


@dataclass(frozen=True)
class Sender:
    """Who sends: the provider's key and account, the worker's name, how much it takes at a time, and the brake's number
    in this transaction.
    """

    provider: str
    account: Account
    worker: str
    limit: int
    brake: int


def calls_of(desk: Desk, ready: Sequence[Ready], sender: Sender, now: datetime) -> list[Call]:
    """Split before the first attempt: by the provider's number of messages and bytes; a refused batch one by one."""
    provider = desk.settings.providers[sender.provider]
    adapter = ADAPTERS[provider.kind]
    ready = sorted(ready, key=lambda one: one.loaded.row.message_id)  # so that a call can be made again from its rows
    by_id = {one.loaded.row.message_id: one.loaded for one in ready}
    together = [one.composed.outgoing for one in ready if one.loaded.row.flags != ALONE]
    groups = list(batches(adapter, together, sender.account, provider.batch))
    groups += [[one.composed.outgoing] for one in ready if one.loaded.row.flags == ALONE]
    return [_call(desk, [by_id[one.message_id] for one in group], group, sender, now) for group in groups]


def _call(desk: Desk, group: Sequence[Loaded], outgoing: Sequence[Outgoing], sender: Sender, now: datetime) -> Call:
    rows = [loaded.row for loaded in group]
    words = ",".join(f"{row.message_id}" for row in rows)
    provider = desk.settings.providers[sender.provider]
    keyed = ADAPTERS[provider.kind].key_window is not None
    batch = desk.idempotency_key(f"{words}:{rows[0].attempts}")
    flights = [
        Flight(
            row.shard,
            row.message_id,
            row.enrollment_id,
            row.fence + 1,
            row.attempts + 1,
            sender.provider,
            batch,
            now,
            row.deadline,
            row.possible_duplicate,
            is_copy=row.again_of is not None,
        )
        for row in rows
    ]
    return Call(
        sender.provider,
        batch if keyed else None,
        outgoing,
        flights,
        [(row.shard, row.customer_id) for row in rows],
        [resends(desk, row.playbook, row.step, sender.provider) for row in rows],
        sender.brake,
        min(now + LEASE, *(loaded.case.good_until(now) for loaded in group)),
        ADAPTERS[provider.kind].request(outgoing, sender.account, batch) if keyed else None,
        key_until(provider, now) if keyed else None,
    )


def resends(desk: Desk, playbook: str, step: str, provider: str) -> bool:
    """What the step says, else the provider, about a message nobody can answer for."""
    found = desk.book.playbooks.get(playbook)
    steps = {one.key: one.model.on_unknown for one in found.steps} if found else {}
    return (steps.get(step) or desk.settings.providers[provider].on_unknown) == "resend"


def rows_in_flight(
    calls: Iterable[Call], ready: Iterable[Ready], sender: Sender, now: datetime, desk: Desk
) -> list[Mapping[str, Any]]:
    """The values of the ledger's rows while they are in flight."""
    composed = {one.composed.outgoing.message_id: one.composed for one in ready}
    same = {
        "reason": None,
        "provider": sender.provider,
        "first_used_at": now,
        "worker": sender.worker,
        "lease_until": now + desk.settings.providers[sender.provider].timeout + LEASE,
    }
    return [row for call in calls for row in _rows(call, composed, same)]


def _rows(call: Call, composed: Mapping[int, Composed], same: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    of_call = {"idempotency_key": call.key, "request_hash": hash_of_request(call.request) if call.request else None}
    for flight in call.flights:
        made = composed[flight.message_id]
        yield {
            **same,
            **of_call,
            "of_shard": flight.shard,
            "of_id": flight.message_id,
            "batch": flight.batch,
            "address": made.outgoing.recipient,
            "context": made.context,
            "content_hash": made.content_hash,
        }
