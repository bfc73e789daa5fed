"""Whether a message may go, as a value with its reason. Gates in order; the first that speaks decides.

Asked twice: when the message is planned (as of when it will be due) and again in the transaction that sets `sending`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from automation.clock import day_start, is_open, local_date, next_opening, stays_open_until
from automation.playbooks.model import HOLDOUT
from automation.reasons import Reason
from automation.values import Window

WEEK = 7  # local days, today included: any seven, so also every calendar week
PAUSED_FOR = timedelta(minutes=5)


@dataclass(frozen=True)
class Send:
    """Nothing speaks against it."""


@dataclass(frozen=True)
class Hold:
    """Not now. The row stays planned, and no attempt is spent."""

    until: datetime
    reason: Reason


@dataclass(frozen=True)
class Skip:
    """Never. `canceled` also ends the customer's passage through the playbook."""

    reason: Reason
    status: Literal["skipped", "expired", "canceled"] = "skipped"


Decision = Send | Hold | Skip
Gate = Callable[["Case"], Decision | None]


@dataclass(frozen=True)
class Limits:
    """What a channel allows: when, and how many marketing messages in a local day and in any seven."""

    window: Window
    per_day: int
    per_week: int


class Span(NamedTuple):
    """From the first to the last instant at which a message may have been taken. A call with a key is repeated, and
    perhaps not on the same day.
    """

    first: datetime
    last: datetime

    def touches(self, first_day: int, last_day: int, zone: ZoneInfo) -> bool:
        """Whether one of these local days, given as ordinals, may be the message's."""
        return local_date(self.first, zone).toordinal() <= last_day and (
            local_date(self.last, zone).toordinal() >= first_day
        )


@dataclass
class Traffic:
    """What else concerns this customer on this channel: what may have reached them when, and what is planned, by id.

    Changes as messages of one batch are decided, so that two of them cannot both be the day's last.
    """

    sent: dict[int, Span] = field(default_factory=dict)
    planned: dict[int, tuple[int, datetime]] = field(default_factory=dict)

    def sent_on(self, moment: datetime, zones: Sequence[ZoneInfo], days: int) -> int:
        """How many in the last so many local days up to `moment`'s; the most that any possible zone says."""
        most = 0
        for zone in zones if self.sent else ():
            today = local_date(moment, zone).toordinal()
            most = max(most, sum(one.touches(today - days + 1, today, zone) for one in self.sent.values()))
        return most

    def ahead_of(self, case: "Case") -> int:
        """How many planned messages of the same local day are more important."""
        zone = case.zones[0]
        today = local_date(case.at, zone)
        mine = rank(case.priority, case.due_at, case.message_id)
        return sum(
            rank(priority, due_at, message_id) < mine and local_date(max(due_at, case.at), zone) == today
            for message_id, (priority, due_at) in self.planned.items()
        )


def rank(priority: int, due_at: datetime, message_id: int) -> tuple[int, datetime, int]:
    """The smaller goes first."""
    return (-priority, due_at, message_id)


@dataclass(frozen=True)
class Case:
    """One message and everything its gates look at. `at` is when it would be sent."""

    message_id: int
    customer_id: str
    playbook: str
    at: datetime
    due_at: datetime
    deadline: datetime
    priority: int
    is_marketing: bool
    zones: Sequence[ZoneInfo]
    limits: Limits
    traffic: Traffic
    erased: bool = False
    address: str | None = None
    suppressed: bool = False
    consented: bool | None = None
    arm: str = ""
    ended: Reason | None = None
    step_holds: bool = True
    offer_expires: datetime | None = None
    pauses: Mapping[str, datetime | None] = field(default_factory=dict)
    provider_free_at: datetime | None = None
    is_copy: bool = False

    def good_until(self, now: datetime) -> datetime:
        """A message that may go now may go until its deadline, or until the customer's window closes before that."""
        if not self.is_marketing:
            return self.deadline
        return min(self.deadline, stays_open_until(now, self.limits.window, self.zones))


def decide(case: Case) -> Decision:
    """The first gate that speaks; else Send."""
    for gate in gates_of(case):
        decision = gate(case)
        if decision is not None:
            return decision
    return Send()


def gates_of(case: Case) -> Sequence[Gate]:
    """All of them; of a copy that a person asked for those that law and the customer have put there, and pauses."""
    return tuple(gate for gate in GATES if gate not in OURS) if case.is_copy else GATES


def erased(case: Case) -> Decision | None:
    return Skip(Reason.ERASED, "canceled") if case.erased else None


def suppressed_address(case: Case) -> Decision | None:
    return Skip(Reason.SUPPRESSED_ADDRESS) if case.suppressed else None


def no_address(case: Case) -> Decision | None:
    return Skip(Reason.NO_ADDRESS) if not case.address else None


def no_consent(case: Case) -> Decision | None:
    return Skip(Reason.NO_CONSENT) if case.is_marketing and not case.consented else None


def paused(case: Case) -> Decision | None:
    for scope, reason in (
        ("everything", Reason.EVERYTHING_PAUSED),
        (f"playbook:{case.playbook}", Reason.PLAYBOOK_PAUSED),
        (f"customer:{case.customer_id}", Reason.CUSTOMER_PAUSED),
    ):
        if scope in case.pauses:
            return Hold(case.pauses[scope] or case.at + PAUSED_FOR, reason)
    return None


def goal_or_exit(case: Case) -> Decision | None:
    return Skip(case.ended, "canceled") if case.ended else None


def step_rule(case: Case) -> Decision | None:
    return None if case.step_holds else Skip(Reason.STEP_RULE)


def too_late(case: Case) -> Decision | None:
    if case.offer_expires is not None and case.at >= case.offer_expires:
        return Skip(Reason.OFFER_EXPIRED, "expired")
    return Skip(Reason.TOO_LATE, "expired") if case.at > case.deadline else None


def holdout(case: Case) -> Decision | None:
    return Skip(Reason.HOLDOUT) if case.is_marketing and case.arm == HOLDOUT else None


def outranked(case: Case) -> Decision | None:
    if not case.is_marketing:
        return None
    allowed = _allowed(case, case.at)
    if allowed <= 0 or case.traffic.ahead_of(case) < allowed:
        return None
    return _wait(case, 1, Reason.OUTRANKED)


def over_cap(case: Case) -> Decision | None:
    if not case.is_marketing or _allowed(case, case.at) > 0:
        return None
    return _wait(case, 1, Reason.OVER_CAP)


def outside_window(case: Case) -> Decision | None:
    if not case.is_marketing or is_open(case.at, case.limits.window, case.zones):
        return None
    opening = next_opening(case.at, case.limits.window, case.zones)
    if opening is None:
        return Skip(Reason.OUTSIDE_WINDOW)
    return Hold(opening, Reason.OUTSIDE_WINDOW) if opening <= case.deadline else Skip(Reason.TOO_LATE, "expired")


def provider_paused(case: Case) -> Decision | None:
    return Hold(case.provider_free_at, Reason.PROVIDER_PAUSED) if case.provider_free_at else None


GATES: tuple[Gate, ...] = (
    erased,
    suppressed_address,
    no_address,
    no_consent,
    paused,
    goal_or_exit,
    step_rule,
    too_late,
    holdout,
    outranked,
    over_cap,
    outside_window,
    provider_paused,
)


# What we allow ourselves: a person who sends a message again decides instead.
OURS = frozenset({step_rule, outranked, over_cap})


def _allowed(case: Case, moment: datetime) -> int:
    """How many more marketing messages the caps allow on the local day of `moment`."""
    limits, traffic = case.limits, case.traffic
    return min(
        limits.per_day - traffic.sent_on(moment, case.zones, 1),
        limits.per_week - traffic.sent_on(moment, case.zones, WEEK),
    )


def _wait(case: Case, days: int, reason: Reason) -> Decision:
    """Until the window of the first local day on which the caps leave room, if that is before the deadline."""
    zone = case.zones[0]
    while days <= WEEK:
        day = local_date(case.at, zone).toordinal() + days
        opening = next_opening(
            day_start(local_date(case.at, zone).fromordinal(day), zone), case.limits.window, case.zones
        )
        if opening is None or opening >= case.deadline:
            break
        if _allowed(case, opening) > 0:
            return Hold(opening, reason)
        days += 1
    return Skip(reason)
