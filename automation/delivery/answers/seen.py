"""What each gate looks at, in words: the same case that decides, and the records behind its yes and no."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from automation.clock import local_date, local_text
from automation.customers.profile import home_of
from automation.delivery.answers.past import Message, Past
from automation.delivery.cases import gone
from automation.delivery.decide import WEEK, Case
from automation.delivery.desk import pauses_at
from automation.delivery.health.pauses import fit_provider, free_at
from automation.delivery.offers import code_of
from automation.playbooks.model import Step
from automation.playbooks.passages import Passage
from automation.reasons import Reason


@dataclass(frozen=True)
class Asked:
    """A message before its gates: the case, and what the case was made of."""

    message: Message
    case: Case
    past: Past
    step: Step | None
    facts: Mapping[str, Any]
    consent: Row[Any] | None
    suppression: Row[Any] | None


def ask(
    past: Past,
    message: Message,
    arm: str,
    moment: datetime,
    passage: Passage | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Asked:
    """Put a message before the gates as of a moment; one that waits is asked as of when it is due."""
    desk, customer = past.desk, past.customer
    facts = past.facts(moment) if facts is None else facts
    playbook = desk.book.playbooks.get(message.playbook)
    step = next((one for one in playbook.steps if one.key == message.step), None) if playbook else None
    consent = past.consent(message.channel, message.topic, moment)
    suppression = past.suppression(message.channel, moment)
    case = Case(
        message_id=message.message_id,
        customer_id=past.customer_id,
        playbook=message.playbook,
        at=max(moment, message.due_at) if message.is_open else moment,
        due_at=message.due_at,
        deadline=message.deadline,
        priority=message.priority,
        is_marketing=message.kind == "marketing",
        zones=desk.zones(customer.timezone, customer.country, customer.phone),
        limits=desk.limits(message.channel, home_of(customer.country, customer.phone), moment),
        traffic=past.traffic(message.channel, moment, without=message.message_id),
        erased=customer.erased_at is not None and customer.erased_at <= moment,
        address=message.address or past.address(message.channel),
        suppressed=suppression is not None,
        consented=consent.granted if consent else None,
        arm=arm,
        ended=_ended_then(past, message, passage, moment),
        step_holds=step is None or step.when is None or step.when.holds(facts, desk.day(moment)),
        offer_expires=_offer_expires(past, passage),
        pauses=pauses_at(past.connection, desk.book, moment, begun=not message.is_open),
        provider_free_at=_provider_free_at(past, message.channel, moment) if message.is_open else None,
        is_copy=message.again_of is not None,
    )
    return Asked(message, case, past, step, facts, consent, suppression)


def _ended_then(past: Past, message: Message, passage: Passage | None, moment: datetime) -> Reason | None:
    if passage is None or not message.is_open:
        return None
    if message.again_of is not None:
        return gone(past.desk, past.desk.book.playbooks.get(message.playbook), moment)
    return past.ended(passage, moment)


def _offer_expires(past: Past, passage: Passage | None) -> datetime | None:
    code = code_of(past.connection, past.customer.shard, passage.enrollment_id) if passage else None
    return code.expires_at if code else None


def _provider_free_at(past: Past, channel: str, moment: datetime) -> datetime | None:
    settings = past.desk.settings
    if fit_provider(past.connection, settings, channel, moment) is not None:
        return None
    return free_at(past.connection, settings, channel, moment)


def _erased(asked: Asked) -> str:
    return "asked to be erased" if asked.case.erased else "no"


def _suppressed(asked: Asked) -> str:
    row = asked.suppression
    return f"{row.reason} since {_day(asked, row.recorded_at)} by {row.source}" if row else "not on the list"


def _consent(asked: Asked) -> str:
    row = asked.consent
    if not asked.case.is_marketing:
        return "transactional: needs none"
    if row is None:
        return f"none on record for {asked.message.channel} and {asked.message.topic}"
    given = "granted" if row.granted else "withdrawn"
    return f"{given} {_day(asked, row.recorded_at)} by {row.source} on {row.topic}"


def _paused(asked: Asked) -> str:
    scopes = ("everything", f"playbook:{asked.case.playbook}", f"customer:{asked.case.customer_id}")
    return ", ".join(f"{scope} is paused" for scope in scopes if scope in asked.case.pauses) or "no"


def _ended(asked: Asked) -> str:
    return asked.case.ended.value if asked.case.ended else "neither"


def _step_rule(asked: Asked) -> str:
    if asked.step is None or asked.step.when is None:
        return "no rule of its own"
    checks = asked.step.when.checks(asked.facts, asked.past.desk.day(asked.case.at))
    return "; ".join(f"{one.rule}: {WORDS.get(str(one.value), one.value)}" for one in checks)


WORDS = {"None": "not set", "True": "yes", "False": "no"}


def _lateness(asked: Asked) -> str:
    case = asked.case
    told = f"{_local(asked, case.at)}, at the latest {_local(asked, case.deadline)}"
    return f"{told}; offer until {_local(asked, case.offer_expires)}" if case.offer_expires else told


def _ahead(asked: Asked) -> str:
    if not asked.case.is_marketing:
        return "transactional: not counted"
    return f"{asked.case.traffic.ahead_of(asked.case)} more important that day"


def _cap(asked: Asked) -> str:
    if not asked.case.is_marketing:
        return "transactional: not counted"
    case, limits = asked.case, asked.case.limits
    today, week = (case.traffic.sent_on(case.at, case.zones, days) for days in (1, WEEK))
    return f"{today} of {limits.per_day} sent that day, {week} of {limits.per_week} in {WEEK} days"


def _window(asked: Asked) -> str:
    if not asked.case.is_marketing:
        return "transactional: at any time"
    case = asked.case
    start, end = (one.strftime("%H:%M") for one in case.limits.window)
    zones = ", ".join(zone.key for zone in case.zones[:3]) + (", …" if len(case.zones) > 3 else "")  # noqa: PLR2004
    return f"{case.at.astimezone(case.zones[0]):%H:%M}, open {start} to {end} in {zones}"


def _provider(asked: Asked) -> str:
    free = asked.case.provider_free_at
    return f"paused until {_local(asked, free)}" if free else "ready"


SEEN: Mapping[str, Callable[[Asked], str | None]] = {
    "erased": _erased,
    "suppressed_address": _suppressed,
    "no_address": lambda asked: asked.case.address,
    "no_consent": _consent,
    "paused": _paused,
    "goal_or_exit": _ended,
    "step_rule": _step_rule,
    "too_late": _lateness,
    "holdout": lambda asked: asked.case.arm,
    "outranked": _ahead,
    "over_cap": _cap,
    "outside_window": _window,
    "provider_paused": _provider,
}


def _day(asked: Asked, moment: datetime) -> str:
    return local_date(moment, asked.past.desk.settings.business.zone).isoformat()


def _local(asked: Asked, moment: datetime) -> str:
    return local_text(moment, asked.past.desk.settings.business.zone)
