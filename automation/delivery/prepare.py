"""Inside one transaction: claim, decide, render, and say `sending`. When it commits, the calls may be posted."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import Connection

from automation.delivery.cases import Loaded, load_cases
from automation.delivery.compose import Composed, compose
from automation.delivery.decide import Hold, Send, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.ledger import Claimed, Flight, begin_sending, claim_due
from automation.delivery.offers import Code, Wanted, reserve
from automation.delivery.outgoing import Outgoing
from automation.delivery.plan import advance
from automation.delivery.providers import ADAPTERS, Account, batches
from automation.delivery.repeat import hash_of_request, key_until
from automation.delivery.settle import ALONE
from automation.delivery.tally import Tally
from automation.delivery.told import Told
from automation.delivery.versions import read_version
from automation.errors import BadMessage
from automation.reasons import Reason

log = logging.getLogger(__name__)
LEASE = timedelta(minutes=5)  # beyond the provider's timeout
NO_CODE_FOR = timedelta(hours=1)


@dataclass(frozen=True)
class Call:
    """One HTTP call: messages in order, a flight for each, and what to do with those nobody can answer for.

    It may be posted until `good_until`, and while the brake has the number it had when the call was decided. Where the
    provider remembers keys, `request` are the exact bytes and `key_until` is how long it does.
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


@dataclass
class Prepared:
    """What one transaction took on. Nothing claimed means nothing is due."""

    claimed: int = 0
    calls: list[Call] = field(default_factory=list)


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


def prepare(connection: Connection, desk: Desk, channel: str, sender: Sender, now: datetime, tally: Tally) -> Prepared:
    """Take on what is due. Held and skipped rows are settled here; a row that cannot be rendered ends alone."""
    claimed = claim_due(connection, channel, now, sender.limit)
    ready: list[Ready] = []
    told = Told()
    for loaded in _rounds(_loaded(connection, desk, claimed, now)):
        going = [one for one in loaded if _goes(one, told, tally)]
        codes = _codes(connection, desk, going, now)
        composed = ((one, _compose(connection, desk, one, codes, now, tally, told)) for one in going)
        ready += [Ready(one, made) for one, made in composed if made is not None]
    advance(connection, desk, told.write(connection, now), now)
    calls = _calls(desk, ready, sender, now)
    if calls:
        begin_sending(connection, _rows(calls, ready, sender, now, desk))
    return Prepared(len(claimed), calls)


def _loaded(connection: Connection, desk: Desk, claimed: Sequence[Claimed], now: datetime) -> Sequence[Loaded]:
    if not claimed:
        return ()
    spoken = frozenset[str]().union(
        *(read_version(connection, one).facts for one in {one.version_id for one in claimed})
    )
    return load_cases(connection, desk, [one.key for one in claimed], now, spoken)


def _rounds(cases: Iterable[Loaded]) -> Iterable[list[Loaded]]:
    """Each customer's first message, then each one's second: what became of one is known when the next is decided."""
    rounds: list[list[Loaded]] = []
    seen: Counter[tuple[int, str]] = Counter()
    for loaded in cases:
        customer = (loaded.row.shard, loaded.row.customer_id)
        if seen[customer] == len(rounds):
            rounds.append([])
        rounds[seen[customer]].append(loaded)
        seen[customer] += 1
    return rounds


def hold_all(
    connection: Connection, desk: Desk, channel: str, until: datetime, limit: int, now: datetime, tally: Tally
) -> int:
    """No provider of the channel is fit: what is due waits, or is over all the same. Returns how many were due."""
    keys = [one.key for one in claim_due(connection, channel, now, limit)]
    told = Told()
    for loaded in load_cases(connection, desk, keys, now) if keys else ():
        _goes(replace(loaded, case=replace(loaded.case, provider_free_at=until)), told, tally)
    advance(connection, desk, told.write(connection, now), now)
    return len(keys)


def _goes(loaded: Loaded, told: Told, tally: Tally) -> bool:
    match decide(loaded.case):
        case Hold() as decision:
            tally.held[decision.reason] += 1
            told.hold(loaded, decision)
        case Skip() as decision:
            tally.note(told.skip(loaded, decision), decision.reason)
        case Send():
            return True
    return False


def _codes(connection: Connection, desk: Desk, going: Iterable[Loaded], now: datetime) -> dict[int, Code]:
    """The offer code of each enrollment that has one or gets one now."""
    given: dict[int, Code] = {}
    wanted: list[Wanted] = []
    for row in (loaded.row for loaded in going):
        offer = desk.book.playbooks[row.playbook].model.offer
        if row.offer_code is not None:
            given[row.enrollment_id] = Code(row.offer_code, row.expires_at)
        elif offer is not None:
            wanted.append(Wanted(row.shard, row.enrollment_id, row.playbook, offer))
    return given | reserve(connection, wanted, now, desk.identity.encode())


def _compose(
    connection: Connection,
    desk: Desk,
    loaded: Loaded,
    codes: Mapping[int, Code],
    now: datetime,
    tally: Tally,
    told: Told,
) -> Composed | None:
    row = loaded.row
    code = codes.get(row.enrollment_id)
    if code is None and desk.book.playbooks[row.playbook].model.offer is not None:
        tally.held[Reason.NO_OFFER_CODE] += 1
        told.hold(loaded, Hold(now + NO_CODE_FOR, Reason.NO_OFFER_CODE))
        return None
    try:
        composed = compose(connection, desk, loaded, code, now)
    except BadMessage as error:
        log.warning("message %s cannot be sent: %s", row.message_id, error)
        tally.statuses["failed"] += 1
        told.fail(loaded, Reason.CANNOT_RENDER)
        return None
    loaded.case.traffic.planned.pop(row.message_id, None)
    if loaded.case.is_marketing:
        loaded.case.traffic.sent.append(now)
    return composed


def _calls(desk: Desk, ready: Sequence[Ready], sender: Sender, now: datetime) -> list[Call]:
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
        min(loaded.case.good_until(now) for loaded in group),
        ADAPTERS[provider.kind].request(outgoing, sender.account, batch) if keyed else None,
        key_until(provider, now) if keyed else None,
    )


def resends(desk: Desk, playbook: str, step: str, provider: str) -> bool:
    """What the step says, else the provider, about a message nobody can answer for."""
    found = desk.book.playbooks.get(playbook)
    steps = {one.key: one.model.on_unknown for one in found.steps} if found else {}
    return (steps.get(step) or desk.settings.providers[provider].on_unknown) == "resend"


def _rows(
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
    return [
        same
        | {
            "of_shard": flight.shard,
            "of_id": flight.message_id,
            "batch": flight.batch,
            "idempotency_key": call.key,
            "request_hash": hash_of_request(call.request) if call.request else None,
            "address": composed[flight.message_id].outgoing.recipient,
            "context": composed[flight.message_id].context,
            "content_hash": composed[flight.message_id].content_hash,
        }
        for call in calls
        for flight in call.flights
    ]
