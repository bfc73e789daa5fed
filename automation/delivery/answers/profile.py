"""One customer, told whole: facts, stage, consent, passages and messages, as they were known at an instant."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row

from automation.delivery.answers.past import Past
from automation.delivery.outcomes.review import texts_of
from automation.lifecycle.standing import stage_by_rules


def customer_told(past: Past, logged: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One customer as `automation customer --json` prints them; `logged` are their rows of the send log."""
    facts = facts_now(past)
    texts = [row for row in texts_of(past.connection, past.customer_id) if row.received_at <= past.now]
    return {
        "customer_id": past.customer_id,
        "stage": facts["stage"],
        "facts": facts,
        "stage_changes": [_stage_change(one) for one in past.stage_changes],
        "consents": [{name: getattr(one, name) for name in CONSENT} for one in past.consents],
        "enrollments": [vars(one) for one in past.passages],
        "messages": [_known_then(row, past) for row in logged if row["planned_at"] <= past.now],
        "texts": [dict(row._mapping) for row in texts],  # noqa: SLF001 (SQLAlchemy's public name for it)
        "profile": _profile(past),
    }


def facts_now(past: Past) -> dict[str, Any]:
    """Every fact that a condition can name, as of the instant; before the first run the stage is that of the rules."""
    facts = past.facts(past.now)
    day, lifecycle = past.desk.day(past.now), past.desk.book.lifecycle
    stage = facts["stage"] or stage_by_rules(lifecycle, facts, day)
    roles = next((one.roles for one in lifecycle.stages if one.key == stage), ())
    since = facts["stage_since"]
    of_stage = {
        "stage": stage,
        "role": ", ".join(roles) or None,
        "days_in_stage": day.days_since(since) if since else None,
    }
    return {name: facts.get(name) for name in past.desk.book.facts.types} | of_stage


CONSENT = ("channel", "topic", "granted", "basis", "wording", "source", "actor", "recorded_at")
SUPPRESSION = ("channel", "address", "reason", "source", "recorded_at")
PROFILE = ("email", "phone", "locale", "timezone", "country", "signup_at", "attributes", "erased_at")


def _stage_change(row: Row[Any]) -> dict[str, Any]:
    return {
        "day": row.day,
        "from": row.from_stage,
        "to": row.to_stage,
        "move": row.move,
        "changed_at": row.changed_at,
    }


def _profile(past: Past) -> dict[str, Any]:
    suppressed = [{name: getattr(one, name) for name in SUPPRESSION} for one in past.suppressions]
    return {**{name: getattr(past.customer, name) for name in PROFILE}, "suppressions": suppressed}


def _known_then(row: Mapping[str, Any], past: Past) -> dict[str, Any]:
    """A row of the log without what came later."""
    then = next(one for one in past.messages if one.message_id == row["message_id"])
    told = {**row, "status": then.status, "reason": then.reason}
    for key in ("sent_at", "outcome_at"):
        if told[key] is not None and told[key] > past.now:
            told[key] = None
    if told["outcome_at"] is None:
        told["outcome"] = None
    return told
