"""Calls whose answer never came, at a provider that remembers keys: posted again, the same bytes under the same key.

A call that was posted is frozen: the same messages in the same order, or none of them. So when one of them may not go
any more, or the bytes cannot be made again to the letter, nobody will ever know what became of all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import httpx
from sqlalchemy import Connection, Row

from automation.delivery.cases import load_cases
from automation.delivery.compose import content_of, outgoing_of
from automation.delivery.decide import Case, Hold, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.health.pauses import paused_until
from automation.delivery.ledger import Flight
from automation.delivery.outgoing import Outgoing
from automation.delivery.providers import ADAPTERS, Account
from automation.delivery.versions import read_version
from automation.errors import BadMessage
from automation.messages.render import Content
from automation.settings import Provider


@dataclass(frozen=True)
class Repeat:
    """The same call, ready to be posted once more."""

    key: str
    outgoing: Sequence[Outgoing]
    request: httpx.Request
    good_until: datetime


@dataclass(frozen=True)
class Wait:
    """Not now: a window is closed, or a pause is on."""

    until: datetime


def repeated(
    connection: Connection, desk: Desk, rows: Sequence[Row[Any]], account: Account | None, now: datetime
) -> Repeat | Wait | None:
    """What becomes of a lost call with these rows; None when it cannot be posted again."""
    provider = desk.settings.providers.get(rows[0].provider)
    key = rows[0].idempotency_key
    if provider is None or account is None or key is None:
        return None
    known_until = key_until(provider, rows[0].first_used_at)
    if now >= known_until:
        return None
    free_at = paused_until(connection, rows[0].provider, now)
    if free_at is not None:
        return Wait(free_at)
    cases = _cases(connection, desk, rows, now)
    decisions = [decide(case) for case in cases]
    if any(isinstance(one, Skip) for one in decisions):
        return None
    held = [one.until for one in decisions if isinstance(one, Hold)]
    if held:
        return Wait(max(held))
    good_until = min(known_until, *(case.good_until(now) for case in cases))
    return _same_bytes(connection, desk, rows, account, key, good_until)


def key_until(provider: Provider, first_used_at: datetime) -> datetime:
    """Until when the provider knows a key used then; at once, where it takes none."""
    return first_used_at + (ADAPTERS[provider.kind].key_window or timedelta(0))


def hash_of_request(request: httpx.Request) -> str:
    return sha256(request.content).hexdigest()


def _cases(connection: Connection, desk: Desk, rows: Sequence[Row[Any]], now: datetime) -> list[Case]:
    loaded = load_cases(connection, desk, [(row.shard, row.message_id) for row in rows], now)
    for one in loaded:  # caps count what may have been sent, and this message is among it
        one.case.traffic.sent.pop(one.row.message_id, None)
    return [one.case for one in loaded]


def _same_bytes(
    connection: Connection, desk: Desk, rows: Sequence[Row[Any]], account: Account, key: str, good_until: datetime
) -> Repeat | None:
    provider = desk.settings.providers[rows[0].provider]
    try:
        outgoing = [_outgoing(connection, desk, row) for row in sorted(rows, key=lambda one: one.message_id)]
    except BadMessage:
        return None
    request = ADAPTERS[provider.kind].request(outgoing, account, key)
    same = hash_of_request(request) == rows[0].request_hash
    return Repeat(key, outgoing, request, good_until) if same else None


def _outgoing(connection: Connection, desk: Desk, row: Row[Any]) -> Outgoing:
    content = content_again(connection, desk, row)
    return outgoing_of(desk.settings, row, content, row.context, row.address, None)


def content_again(connection: Connection, desk: Desk, row: Row[Any]) -> Content:
    """What the row said, from the version and the values that it pins. Raises BadMessage."""
    context: Mapping[str, Any] = row.context
    default = desk.settings.business.locale
    version = read_version(connection, row.version_id)
    return content_of(version.template(row.step, row.variant, row.channel, context["locale"], default), context)


def flight_again(row: Row[Any], now: datetime) -> Flight:
    """The row's next attempt, which says the same thing under the same key."""
    return Flight(
        row.shard,
        row.message_id,
        row.enrollment_id,
        row.fence + 1,
        row.attempts + 1,
        row.provider,
        row.batch,
        now,
        row.deadline,
        row.possible_duplicate,
        repeats=True,
        is_copy=row.again_of is not None,
    )
