"""Inside one transaction: claim, decide, render, and say `sending`. When it commits, the calls may be posted."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from automation.customers.referrals import codes_of
from automation.delivery.calls import Call, Ready, Sender, calls_of, rows_in_flight
from automation.delivery.cases import Loaded, load_cases
from automation.delivery.compose import Codes, Composed, compose
from automation.delivery.decide import Hold, Send, Skip, Span, decide
from automation.delivery.desk import Desk
from automation.delivery.ledger import Claimed, begin_sending, claim_due
from automation.delivery.offers import Code, Wanted, reserve
from automation.delivery.outcomes.evidence import settle_told
from automation.delivery.planning.plan import advance
from automation.delivery.tally import Tally
from automation.delivery.told import Told
from automation.delivery.versions import read_version
from automation.errors import BadMessage
from automation.faultpoints import reach
from automation.reasons import Reason

log = logging.getLogger(__name__)
NO_CODE_FOR = timedelta(hours=1)
OVERSLEPT = timedelta(hours=1)


@dataclass
class Prepared:
    """What one transaction took on. Nothing claimed means nothing is due, or that it has to wait for a slot so long.

    `slots`: when calls may be posted, by provider.
    """

    claimed: int = 0
    calls: list[Call] = field(default_factory=list)
    slots: dict[str, Sequence[datetime]] = field(default_factory=dict)
    wait: timedelta | None = None


def prepare(connection: Connection, desk: Desk, channel: str, sender: Sender, now: datetime, tally: Tally) -> Prepared:
    """Take on what is due. Held and skipped rows are settled here; a row that cannot be rendered ends alone."""
    claimed = claim_due(connection, channel, now, sender.limit)
    if claimed:
        reach("claimed")
    ready: list[Ready] = []
    told = Told()
    for loaded in _rounds(_unheard(connection, _loaded(connection, desk, claimed, now), told, now)):
        going = [one for one in loaded if _goes(one, told, tally)]
        codes = _codes(connection, desk, going, now)
        friends = _codes_for_friends(connection, desk, going, now)
        composed = ((one, _compose(connection, desk, one, codes, friends, now, tally, told)) for one in going)
        ready += [Ready(one, made) for one, made in composed if made is not None]
    advance(connection, desk, told.write(connection, now), now)
    calls = calls_of(desk, ready, sender, now)
    if calls:
        begin_sending(connection, rows_in_flight(calls, ready, sender, now, desk))
        reach("before_sending")
    return Prepared(len(claimed), calls)


def _loaded(connection: Connection, desk: Desk, claimed: Sequence[Claimed], now: datetime) -> Sequence[Loaded]:
    if not claimed:
        return ()
    versions = (read_version(connection, version_id) for version_id in {one.version_id for one in claimed})
    spoken = {name for version in versions for name in version.facts}
    return load_cases(connection, desk, [one.key for one in claimed], now, spoken)


def _unheard(connection: Connection, loaded: Sequence[Loaded], told: Told, now: datetime) -> Sequence[Loaded]:
    """Without those that go once more because nobody knew, and of which the provider has told meanwhile."""
    again = {(one.row.shard, one.row.message_id): one for one in loaded if one.row.possible_duplicate}
    sent = settle_told(connection, list(again), now)
    for key in sent:
        told.was_sent(again[key])
    return [one for one in loaded if (one.row.shard, one.row.message_id) not in sent]


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
            status = told.skip(loaded, decision)
            tally.note(status, decision.reason)
            tally.overslept += status == "expired" and loaded.case.at - loaded.case.due_at > OVERSLEPT
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


def _codes_for_friends(
    connection: Connection, desk: Desk, going: Iterable[Loaded], now: datetime
) -> dict[tuple[int, str], str]:
    """Of each customer whose message may speak of it."""
    rows = (loaded.row for loaded in going)
    people = {(row.shard, row.customer_id) for row in rows if read_version(connection, row.version_id).asks_for_friends}
    return codes_of(connection, people, now, desk.identity.encode())


def _compose(
    connection: Connection,
    desk: Desk,
    loaded: Loaded,
    codes: Mapping[int, Code],
    friends: Mapping[tuple[int, str], str],
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
        reach("before_render")
        composed = compose(connection, desk, loaded, Codes(code, friends.get((row.shard, row.customer_id))), now)
        reach("rendered")
    except BadMessage as error:
        log.warning("message %s cannot be sent: %s", row.message_id, error)
        tally.statuses["failed"] += 1
        told.fail(loaded, Reason.CANNOT_RENDER)
        return None
    loaded.case.traffic.planned.pop(row.message_id, None)
    if loaded.case.is_marketing and not loaded.case.is_copy:
        loaded.case.traffic.sent[row.message_id] = Span(now, now)
    return composed
