"""What playbooks did lately and who is in them now, as a page shows it: plain numbers, counted in the database."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, func, select

from automation.database.schema import OPEN_ENROLLMENT, Shards, enrollments, messages
from automation.reports.arms import arms_counted, entered, known_until, passages
from automation.reports.asked import Asked
from automation.reports.parts import parts
from automation.reports.period import Period

# A goal takes weeks to be met and a holdout is small: thirty days would prove nothing.
PROOF = timedelta(days=180)
TOLD = ("delivered", "opened", "clicked", "unsubscribed", "complained")
PARTS = ("arms", "exits", "steps", "reasons", "inside", "proof")
Found = dict[str, dict[str, Any]]


def passing(asked: Asked) -> dict[str, Any]:
    """By playbook: `arms` and `exits` of those who entered in the period; messages planned in it by `steps` and status,
    and by the `reasons` of those that wait or were not sent; who is `inside`; and the arms of half a year as `proof`.
    """
    found: Found = defaultdict(lambda: {key: {} for key in PARTS})
    _arms(asked, found)
    _proof(asked, found)
    for shards in parts(asked):
        for part, query in (("exits", _exits(asked, shards)), ("inside", _inside(shards))):
            for playbook, key, count in asked.connection.execute(query):
                of_part = found[playbook][part]
                of_part[str(key)] = of_part.get(str(key), 0) + count
    _steps(asked, found)
    period = {"since": asked.period.since.isoformat(), "until": asked.period.until.isoformat()}
    return {**period, "proof_days": PROOF.days, "playbooks": dict(found)}


def _arms(asked: Asked, found: Found) -> None:
    met = _met(asked)
    for (playbook, arm), counted in arms_counted(asked).items():
        told = {outcome: counted.told.of_sent(outcome).part for outcome in TOLD}
        counts = {"entered": counted.entered, "met": met[playbook, arm], "sent": counted.told.sent}
        found[playbook]["arms"][arm] = counts | told


def _met(asked: Asked) -> Counter[tuple[str, str]]:
    """Who met the goal so far, whether or not there was time left."""
    met: Counter[tuple[str, str]] = Counter()
    key = (enrollments.c.playbook, enrollments.c.arm)
    for shards in parts(asked):
        rows = select(*key, func.count()).where(*entered(asked, shards), enrollments.c.goal_at.is_not(None))
        for playbook, arm, count in asked.connection.execute(rows.group_by(*key)):
            met[playbook, arm] += count
    return met


def _proof(asked: Asked, found: Found) -> None:
    until = known_until(asked)
    half_a_year = replace(asked, period=Period(asked.period.until - PROOF, asked.period.until, asked.period.zone))
    for shards in parts(asked):
        for playbook, arm, *counts in asked.connection.execute(passages(half_a_year, until, shards)):
            of_arm = found[playbook]["proof"].get(arm, [0, 0, 0])
            found[playbook]["proof"][arm] = [before + more for before, more in zip(of_arm, counts, strict=True)]


def _exits(asked: Asked, shards: Shards) -> Select[Any]:
    key = (enrollments.c.playbook, enrollments.c.exit_reason)
    over = enrollments.c.exit_reason.is_not(None)
    return select(*key, func.count()).where(*entered(asked, shards), over).group_by(*key)


def _inside(shards: Shards) -> Select[Any]:
    key = (enrollments.c.playbook, enrollments.c.next_step)
    return select(*key, func.count()).where(OPEN_ENROLLMENT, shards.of(enrollments)).group_by(*key)


def _steps(asked: Asked, found: Found) -> None:
    for playbook, step, status, reason, count in asked.connection.execute(_planned(asked)):
        of_step = found[playbook]["steps"].setdefault(step, {})
        of_step[status] = of_step.get(status, 0) + count
        if reason is not None and status != "sent":
            found[playbook]["reasons"].setdefault(step, {}).setdefault(status, {})[reason] = count


def _planned(asked: Asked) -> Select[Any]:
    key = (messages.c.playbook, messages.c.step, messages.c.status, messages.c.reason)
    lately = (messages.c.planned_at >= asked.start, messages.c.planned_at < asked.end)
    return select(*key, func.count()).where(*lately).group_by(*key)
