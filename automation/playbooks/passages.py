"""One customer's passages through playbooks, and what the entry to one asks: the rules of `enroll`, for one person."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from automation.clock import local_date
from automation.database.engine import draw_of
from automation.database.schema import enrollments, shard_of
from automation.lifecycle.conditions import Check, Day
from automation.playbooks.model import HOLDOUT, MAIN, Playbook
from automation.reasons import Reason
from automation.values import duration_text


@dataclass(frozen=True)
class Passage:
    """An enrollment as it stood at an instant."""

    enrollment_id: int
    playbook: str
    arm: str
    entered_at: datetime
    entered_stage: str
    exited_at: datetime | None
    exit_reason: str | None
    goal_at: datetime | None


FIELDS = tuple(Passage.__dataclass_fields__)


def passages_of(connection: Connection, customer_id: str, now: datetime) -> list[Passage]:
    """The customer's enrollments, the oldest first; what happened after `now` is not known yet."""
    own, shard = enrollments.alias("own"), shard_of(customer_id)
    # Looked up in the index alone: asked for whole rows, SQLite without statistics reads the shard instead.
    ids = select(own.c.enrollment_id).where(own.c.shard == shard, own.c.customer_id == customer_id)
    mine = (enrollments.c.shard == shard, enrollments.c.enrollment_id.in_(ids))
    rows = select(*enrollments.c[*FIELDS]).where(*mine, enrollments.c.entered_at <= now)
    order = (enrollments.c.entered_at, enrollments.c.enrollment_id)
    return [_as_of(Passage(*row), now) for row in connection.execute(rows.order_by(*order))]


def _as_of(passage: Passage, now: datetime) -> Passage:
    if passage.goal_at is not None and passage.goal_at > now:
        passage = replace(passage, goal_at=None)
    if passage.exited_at is not None and passage.exited_at > now:
        passage = replace(passage, exited_at=None, exit_reason=None)
    return passage


def latest(passages: Iterable[Passage], playbook: str) -> Passage | None:
    return next((one for one in reversed(list(passages)) if one.playbook == playbook), None)


@dataclass(frozen=True)
class Entry:
    """Each rule of a playbook's entry with the value seen; `reason` says why not, and is None when all hold."""

    checks: Sequence[Check]
    reason: Reason | None


def entry(playbook: Playbook, facts: Mapping[str, Any], last: Passage | None, day: Day) -> Entry:
    """What the daily run asks before it enrolls somebody whose newest passage so far is `last`."""
    rules = [
        _stage(playbook, facts),
        _when(playbook, facts, day),
        *_calendar(playbook, day),
        again(playbook, last, day),
    ]
    checks = [check for found, _ in rules for check in found]
    return Entry(checks, next((reason for _, reason in rules if reason), None))


Rule = tuple[Sequence[Check], Reason | None]


def _rule(rule: str, value: Any, passed: bool, reason: Reason) -> Rule:
    return [Check(rule, value, passed)], None if passed else reason


def _stage(playbook: Playbook, facts: Mapping[str, Any]) -> Rule:
    if playbook.model.answers is not None:
        return _rule(f"sends a text that says {playbook.model.answers}", None, False, Reason.NOT_ASKED)
    words = ", ".join(sorted(playbook.stages) or playbook.model.stages)
    return _rule(f"stage in ({words})", facts["stage"], facts["stage"] in playbook.stages, Reason.OTHER_STAGE)


def _when(playbook: Playbook, facts: Mapping[str, Any], day: Day) -> Rule:
    if playbook.when is None:
        return [], None
    return playbook.when.checks(facts, day), None if playbook.when.holds(facts, day) else Reason.RULE


def _calendar(playbook: Playbook, day: Day) -> list[Rule]:
    model, today = playbook.model, local_date(day.now, day.zone)
    rules = [_rule("active", model.active, model.active, Reason.PLAYBOOK_PAUSED)]
    if model.starts is not None:
        rules.append(_date("starts", model.starts, today, not playbook.starts_later(today), Reason.NOT_STARTED))
    if model.ends is not None:
        rules.append(_date("ends", model.ends, today, not playbook.has_ended(today), Reason.PLAYBOOK_ENDED))
    return rules


def _date(word: str, edge: date, today: date, passed: bool, reason: Reason) -> Rule:
    return _rule(f"{word} {edge.isoformat()}", today.isoformat(), passed, reason)


def again(playbook: Playbook, last: Passage | None, day: Day) -> Rule:
    """Whether somebody with this newest passage may enter."""
    pause = playbook.reenter_after
    rule = "enters once ever" if pause is None else f"enters again after {duration_text(pause)}"
    if last is None:
        return _rule(rule, "never entered", True, Reason.ENTERED_BEFORE)
    if last.exited_at is None:
        return _rule(rule, f"in it since {local_date(last.entered_at, day.zone)}", False, Reason.ALREADY_ENROLLED)
    passed = pause is not None and last.exited_at <= day.now - pause
    return _rule(rule, f"left on {local_date(last.exited_at, day.zone)}", passed, Reason.ENTERED_BEFORE)


def arm_of(playbook: Playbook, everyone: float, customer_id: str) -> str:
    """The arm that enrolling would draw for this customer."""
    if playbook.is_marketing and draw_of(f"everyone:{customer_id}") < everyone:
        return HOLDOUT
    if playbook.is_marketing and draw_of(f"{playbook.key}:holdout:{customer_id}") < playbook.model.holdout:
        return HOLDOUT
    drawn = draw_of(f"{playbook.key}:arm:{customer_id}")
    for variant in playbook.arms:
        drawn -= variant.weight
        if drawn < 0:
            return variant.key
    return MAIN
