"""What a reply means for the row: pure, one case a line, following the table of the delivery promise."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from automation.delivery.ledger import Flight, Record
from automation.delivery.replies import Accepted, Later, Refused, Reply, Unknown
from automation.reasons import Reason

FIRST_BACKOFF = timedelta(seconds=30)
LONGEST_BACKOFF = timedelta(hours=1)
ALONE = "alone"  # the provider refused a whole call: each of its messages is posted by itself
OVER = frozenset({"sent", "rejected", "failed", "unknown", "skipped", "expired"})


@dataclass(frozen=True)
class Heard:
    """A flight and the reply it got. `resend`: what to do when nobody knows, and no key makes it safe to ask again.

    `key_until`: how long the provider knows the call's key.
    """

    flight: Flight
    reply: Reply
    resend: bool = False
    key_until: datetime | None = None


def settle(heard: Heard, now: datetime) -> Record:
    """The row's new values and the attempt to append."""
    if heard.flight.repeats and isinstance(heard.reply, Refused | Later):
        return _unproven(heard, heard.reply, now)
    return _by_reply(heard, now)


def _by_reply(heard: Heard, now: datetime) -> Record:
    flight, reply = heard.flight, heard.reply
    match reply:
        case Accepted():
            flags = ",".join(reply.flags) or None
            values = _over("sent", None, now) | {"sent_at": now, "provider_id": reply.provider_id, "flags": flags}
            return Record(flight, values, "accepted", None, flags, reply.http_status)
        case Refused(scope="account"):
            return _again(flight, reply.reason, reply.detail, reply.http_status, now, Reason.PROVIDER_PAUSED, "refused")
        case Refused(whole_call=True):
            values = {"status": "planned", "reason": Reason.RETRY.value, "due_at": now, "flags": ALONE}
            return Record(flight, values, "refused", reply.reason, reply.detail, reply.http_status)
        case Refused():
            # An earlier attempt may have been taken: that this one was refused does not make it untrue.
            certain = not flight.possible_duplicate
            values = _over("rejected", refusal(reply), now) if certain else _over("unknown", Reason.NO_ANSWER, now)
            return Record(flight, values, "refused", reply.reason, reply.detail, reply.http_status)
        case Later():
            return _again(flight, reply.reason, None, reply.http_status, now, Reason.RETRY, "later", reply.after)
        case Unknown():
            return _unknown(heard, reply, now)


def refusal(reply: Refused) -> Reason:
    if reply.suppress == "unsubscribed":
        return Reason.OPTED_OUT
    return Reason.INVALID_ADDRESS if reply.scope == "recipient" else Reason.PROVIDER_REFUSED


def backoff(words: int | str, attempt: int) -> timedelta:
    """Exponential with full jitter, drawn from the message's or call's own id so that a repeated run decides alike."""
    ceiling = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt, 10))
    drawn: timedelta = ceiling * random.Random(f"{words}:{attempt}").random()  # noqa: S311 (jitter, no secret)
    return max(timedelta(seconds=1), drawn)


def _over(status: str, reason: Reason | None, now: datetime) -> dict[str, Any]:
    return {"status": status, "reason": reason.value if reason else None, "finished_at": now}


def _again(
    flight: Flight,
    why: str,
    detail: str | None,
    http_status: int | None,
    now: datetime,
    reason: Reason,
    reply: str,
    after: timedelta | None = None,
) -> Record:
    # Drawn on top of what the provider wished for, or all would be back in the same second.
    wait = (after or timedelta(0)) + backoff(flight.message_id, flight.attempt)
    values: Mapping[str, Any] = {"status": "planned", "reason": reason.value, "due_at": now + wait}
    return Record(flight, values, reply, why, detail, http_status)


def _unproven(heard: Heard, reply: Refused | Later, now: datetime) -> Record:
    """What is said of this attempt, not even a refusal, tells what became of the one before."""
    flight, word = heard.flight, "later" if isinstance(reply, Later) else "refused"
    detail = reply.detail if isinstance(reply, Refused) else None
    waits = isinstance(reply, Later) or reply.scope == "account"
    wished = reply.after if isinstance(reply, Later) else None
    values = (_same_again(heard, now, wished) if waits else None) or _over("unknown", Reason.NO_ANSWER, now)
    return Record(flight, values, word, reply.reason, detail, reply.http_status)


def _same_again(heard: Heard, now: datetime, wished: timedelta | None = None) -> dict[str, Any] | None:
    """The row stays in flight and nobody holds it, until the same call is posted again; None when that is too late."""
    flight = heard.flight
    # Drawn from the call: its messages go together.
    due_at = now + max(backoff(flight.batch, flight.attempt), wished or timedelta(0))
    if heard.key_until is None or due_at >= heard.key_until:
        return None
    return {"status": "sending", "reason": Reason.REPEAT.value, "lease_until": due_at}


def _unknown(heard: Heard, reply: Unknown, now: datetime) -> Record:
    flight = heard.flight
    again = _same_again(heard, now)
    if again is not None:
        values = again
    elif not heard.resend or heard.key_until is not None:
        values = _over("unknown", Reason.NO_ANSWER, now)
    else:
        due_at = now + backoff(flight.message_id, flight.attempt)
        values = {"status": "planned", "reason": Reason.RESENT.value, "due_at": due_at, "possible_duplicate": True}
    return Record(flight, values, "unknown", reply.reason, None, reply.http_status)
