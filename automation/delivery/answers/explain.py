"""Why a customer got a playbook's messages, or did not: every rule and every gate with what it saw."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from automation.clock import local_text
from automation.delivery.answers.past import Message, Past
from automation.delivery.answers.seen import SEEN, Asked, ask
from automation.delivery.decide import Send, Skip, decide, gates_of
from automation.delivery.planning.due import due_at
from automation.delivery.planning.timetable import home_for_days
from automation.errors import UnknownPlaybook, suggest
from automation.lifecycle.conditions import Check
from automation.playbooks.model import HOLDOUT, Playbook, Step
from automation.playbooks.passages import Passage, again, arm_of, entry, latest
from automation.reasons import BY_KEY, Reason

Verdict = Literal["in_progress", "completed", "exited", "would_enter", "no"]
NEW = 2**62  # a row that does not exist yet would have the highest id of all
# Which gate gives a reason, where it is not the one of the same name.
SPEAKERS = {
    Reason.EVERYTHING_PAUSED: "paused",
    Reason.PLAYBOOK_PAUSED: "paused",
    Reason.CUSTOMER_PAUSED: "paused",
    Reason.OFFER_EXPIRED: "too_late",
}


@dataclass(frozen=True)
class Explanation:
    """One playbook for one customer. `told` are the messages there are, in a few words each."""

    playbook: str
    verdict: Verdict
    reason: Reason
    checks: Sequence[Check]
    told: Sequence[str] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        return {
            "playbook": self.playbook,
            "verdict": self.verdict,
            "reason": self.reason.value,
            "checks": [vars(check) for check in self.checks],
        }


def explain(past: Past, playbook: str | None = None) -> list[Explanation]:
    """Every playbook there is or the customer was in, or the one named. Raises UnknownPlaybook."""
    known = {*past.desk.book.playbooks, *(passage.playbook for passage in past.passages)}
    if playbook is not None and playbook not in known:
        raise UnknownPlaybook(f'no playbook "{playbook}"; {suggest(playbook, known)}')
    return [_explain(past, key) for key in sorted(known if playbook is None else {playbook})]


def _explain(past: Past, key: str) -> Explanation:
    playbook, passage = past.desk.book.playbooks.get(key), latest(past.passages, key)
    if playbook is None or passage is None:
        return _removed(past, passage) if passage else _outside(past, past.desk.book.playbooks[key])
    if passage.exited_at is not None:
        anew = _outside(past, playbook, passage)
        if anew.verdict == "would_enter":
            return anew
    return _inside(past, playbook, passage)


def _outside(past: Past, playbook: Playbook, last: Passage | None = None) -> Explanation:
    """Not in it: whether a daily run at this moment would let them in, and what would become of the first message."""
    facts = past.facts_for_run(past.now)
    asked = entry(playbook, facts, last, past.desk.day(past.now))
    if asked.reason is not None:
        return Explanation(playbook.key, "no", asked.reason, asked.checks)
    step = playbook.steps[0]
    first = ask(past, _first_message(past, playbook, step), _arm(past, playbook), past.now, facts=facts)
    decision = decide(first.case)
    reason = decision.reason if isinstance(decision, Skip) else Reason.NOT_EVALUATED
    checks = [
        *asked.checks,
        _header(f"would be planned for {_local(past, first.case.due_at)}", first, reason),
        *_gates(first),
    ]
    return Explanation(playbook.key, "would_enter", reason, checks)


def _arm(past: Past, playbook: Playbook) -> str:
    return arm_of(playbook, past.desk.settings.holdout.everyone, past.customer_id)


def _first_message(past: Past, playbook: Playbook, step: Step) -> Message:
    one = past.customer
    zones = past.desk.zones(one.timezone, one.country, one.phone)
    due = due_at(past.desk, playbook, step, past.now, zones, home_for_days(one.timezone, one.country, one.phone))
    return Message(
        message_id=NEW,
        enrollment_id=0,
        playbook=playbook.key,
        step=step.key,
        channel=step.model.channel,
        kind=playbook.model.kind,
        topic=playbook.model.topic,
        priority=playbook.model.priority,
        status="planned",
        reason=None,
        planned_at=past.now,
        due_at=due,
        deadline=due + step.model.late_by,
        address=None,
        first_used_at=None,
        sent_at=None,
        idempotency_key=None,
        finished_at=None,
    )


def _inside(past: Past, playbook: Playbook, passage: Passage) -> Explanation:
    """In it, or was: the entry as of then, and each message as it was or would be decided."""
    before = [one for one in past.passages if one.entered_at < passage.entered_at]
    day = past.desk.day(passage.entered_at)
    facts = {**past.facts(passage.entered_at), "stage": passage.entered_stage}
    asked = entry(playbook, facts, latest(before, playbook.key), day)
    checks = list(asked.checks)
    if playbook.model.answers is not None:  # they were let in, so they had asked
        checks[0] = replace(checks[0], passed=True)
    return _passage(past, passage, checks, playbook)


def _removed(past: Past, passage: Passage) -> Explanation:
    return _passage(past, passage, [], None)


def _passage(past: Past, passage: Passage, checks: Iterable[Check], playbook: Playbook | None) -> Explanation:
    heard = [_message(past, one, passage) for one in past.messages_of(passage)]
    found = [*checks, *(check for part, _, _ in heard for check in part)]
    if passage.exited_at is not None and playbook is not None:
        found += again(playbook, passage, past.desk.day(past.now))[0]
    reasons = [reason for _, reason, _ in heard]
    verdict, reason = _verdict(past, passage, reasons)
    return Explanation(passage.playbook, verdict, reason, found, [told for _, _, told in heard])


def _verdict(past: Past, passage: Passage, reasons: Sequence[Reason | None]) -> tuple[Verdict, Reason]:
    """What to say first: when nothing was sent, why; else how far they are."""
    sent = any(one.status == "sent" for one in past.messages_of(passage))
    silence = next((reason for reason in reversed(reasons) if reason), None) if not sent else None
    if passage.exited_at is None:
        waits = reasons[-1] if reasons else None
        holdout = Reason.HOLDOUT if passage.arm == HOLDOUT else None
        return "in_progress", holdout or waits or silence or Reason.ALREADY_ENROLLED
    if passage.exit_reason == Reason.COMPLETED:
        return "completed", silence or Reason.COMPLETED
    return "exited", Reason.of(passage.exit_reason or "")


def _message(past: Past, message: Message, passage: Passage) -> tuple[list[Check], Reason | None, str]:
    """What was decided about a message and what the gates saw then; about one that waits, what they would say."""
    asked = ask(past, message, passage.arm, message.decided_at or past.now, passage=passage)
    reason = BY_KEY.get(message.reason or "")
    if message.decided_at is not None:
        header = _header(f"{message.status} on {_local(past, message.decided_at)}", asked, reason)
        checks = _recorded(message, asked, reason)
    else:
        decision = decide(asked.case)
        reason = reason if isinstance(decision, Send) else decision.reason
        header = _header(f"planned for {_local(past, message.due_at)}", asked, reason)
        checks = _gates(asked)
    return [header, *checks], reason, f"{header.rule}: {header.value}"


def gates_told(past: Past, message_id: int) -> list[Check]:
    """What was decided about one message and what each gate saw then, or would see now; [] when it is not known."""
    message = next((one for one in past.messages if one.message_id == message_id), None)
    passage = next((one for one in past.passages if message and one.enrollment_id == message.enrollment_id), None)
    return _message(past, message, passage)[0] if message and passage else []


def _header(told: str, asked: Asked, reason: Reason | None) -> Check:
    message = asked.message
    goes = message.status in {"sent", "sending"} or (message.is_open and not isinstance(decide(asked.case), Skip))
    why = f": {reason.value}" if reason and reason != Reason.NOT_EVALUATED else ""
    again = f", again for {message.asked_by}" if message.again_of is not None else ""
    return Check(f"step {message.step} ({message.channel}{again})", f"{told}{why}", goes)


def _gates(asked: Asked) -> list[Check]:
    """Every gate in order, asked now."""
    return [Check(gate.__name__, SEEN[gate.__name__](asked), gate(asked.case) is None) for gate in gates_of(asked.case)]


def _recorded(message: Message, asked: Asked, reason: Reason | None) -> list[Check]:
    """The gates that were asked: the record says which one spoke; those after it were not reached."""
    names = [gate.__name__ for gate in gates_of(asked.case)]
    if message.status not in {"skipped", "expired", "canceled"} or reason is None:
        return [Check(name, SEEN[name](asked), True) for name in names]
    speaker = SPEAKERS.get(reason, reason.value)
    if speaker not in names:  # the passage ended, by the daily run or at the gate that asks for it
        return [Check("goal_or_exit", reason.value, False)]
    reached = names[: names.index(speaker) + 1]
    return [Check(name, SEEN[name](asked), name != speaker) for name in reached]


def _local(past: Past, moment: datetime) -> str:
    return local_text(moment, past.desk.settings.business.zone)
