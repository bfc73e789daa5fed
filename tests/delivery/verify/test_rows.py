"""The checker finds nothing in a shop that kept its promises, and each row that contradicts what became of it."""

from typing import Any

import pytest
from broken_promises import KEYED, NOON2, Check, another_attempt, attempt, checked, delivered, evidence, row
from shop import Shop, at
from sqlalchemy import (
    insert,
    update,
)

from automation.database.schema import (
    attempts,
    messages,
)
from automation.database.work import pauses
from automation.delivery import verify as checker
from automation.delivery.health.by_hand import Verdict
from automation.delivery.verify import verify
from automation.settings import Settings


def test_a_shop_that_keeps_its_promises_has_no_violations(shop: Shop, settings: Settings) -> None:
    assert {row[2] for row in shop.statuses()} == {"sent", "rejected", "skipped", "planned"}
    seen: list[tuple[int, int]] = []
    report = verify(shop.database, settings, progress=lambda done, total: seen.append((done, total)))
    assert report.as_dict() == {"ok": True, "violations": [], "counts": {}}
    assert seen == [(1, 1)]


def test_in_many_parts_the_same_is_found(shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "MESSAGES_A_PART", 2)
    report = checked(shop, settings, update(messages).values(provider_id="a\tb"))
    assert report.counts == {"I9": 10}


def test_all_are_counted_and_a_hundred_are_listed(
    shop: Shop, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "LISTED", 3)
    report = checked(shop, settings, update(messages).values(provider_id="a\tb"))
    assert report.counts == {"I9": 10}
    assert len(report.violations) == 3
    first = report.as_dict()["violations"][0]
    assert first.keys() == {"invariant", "message_id", "customer_id", "told"}


STATES = {
    "The row is sent and has no time at which it ended.": [row(finished_at=None)],
    "The row is planned and has a time at which it ended.": [row(name="text", finished_at=at(NOON2))],
    "The row is sent and does not say when.": [row(sent_at=None)],
    "The row is skipped and says when it was sent.": [row("cem", sent_at=at(NOON2))],
    "The row is in flight without a lease.": [row(name="text", status="sending", attempts=1)],
    "The row is sent and still has a lease.": [row(lease_until=at(NOON2))],
    "Its attempts are not numbered 1 to 1.": [attempt(number=2)],
    "The sent row counts 2 attempts; 1 are on record.": [row(attempts=2)],
    "The planned row counts 0 attempts; 1 are on record.": [
        row("cem", "one", status="planned", attempts=0, finished_at=None)
    ],
    "An attempt began after the row had ended.": [attempt(started_at=at("2026-03-03T12:00:00Z"))],
    "The row is rejected and its last attempt was not refused.": [attempt("cem", "one", reply="later")],
    "The row is unknown and none of its attempts is.": [row("cem", "one", status="unknown")],
}


@pytest.mark.parametrize("told", STATES)
def test_a_row_contradicts_its_state_or_its_attempts(after: Check, told: str) -> None:
    assert ("I2", told) in after(*STATES[told])


UNCERTAIN = {"reply": "unknown"}
ACCEPTANCES = {
    "The provider took it, and the row is failed.": [row(status="failed", sent_at=None)],
    "The row is sent, and no attempt says that the provider took it.": [attempt(reply="later")],
    "The provider took it 2 times, and the row is not marked as a possible duplicate.": [
        row(attempts=2),
        another_attempt(),
    ],
    "It was posted again after an uncertain attempt, and the row is not marked as a possible duplicate.": [
        row(attempts=2),
        another_attempt(),
        attempt(reply="unknown").where(attempts.c.number == 1),
    ],
    "The provider may have taken it, and the row is shown as expired instead of unknown.": [
        row(status="expired", sent_at=None),
        attempt(**UNCERTAIN),
    ],
    "The provider may have taken it, and the row is shown as failed instead of unknown.": [
        row(status="failed", sent_at=None, reason="cannot_render"),
        attempt(**UNCERTAIN),
    ],
}


@pytest.mark.parametrize("told", ACCEPTANCES)
def test_what_a_provider_took_or_may_have_taken_is_shown_otherwise(after: Check, told: str) -> None:
    assert ("I3", told) in after(*ACCEPTANCES[told])


@pytest.mark.parametrize("status", ["sent", "failed"])
def test_what_was_uncertain_is_settled_without_evidence(after: Check, status: Verdict) -> None:
    told = f"Nobody knew whether the provider took it, and the row is {status} without any evidence."
    settled = row(status=status, sent_at=at(NOON2) if status == "sent" else None, reason="looked_up")
    other_verdict: Verdict = "failed" if status == "sent" else "sent"
    for instead in ((), (evidence(other_verdict),), (evidence(status, "one"),)):
        assert after(settled, attempt(**UNCERTAIN), *instead) == {("I3", told)}


def test_what_is_uncertain_may_be_unknown_settled_on_evidence_or_repeated_with_a_mark(after: Check) -> None:
    assert after(row(status="unknown", sent_at=None), attempt(**UNCERTAIN)) == set()
    assert after(evidence("sent"), attempt(**UNCERTAIN)) == set()
    assert after(evidence("failed"), row(status="failed", sent_at=None), attempt(**UNCERTAIN)) == set()
    assert after(delivered(), attempt(**UNCERTAIN)) == set()
    repeated = [another_attempt(), attempt(**UNCERTAIN).where(attempts.c.number == 1)]
    assert after(row(attempts=2, possible_duplicate=True), *repeated) == set()
    assert after(row(attempts=2, **KEYED), *repeated) == set()


def test_what_a_later_attempt_was_told_does_not_make_an_earlier_one_known(after: Check) -> None:
    first = attempt(**UNCERTAIN).where(attempts.c.number == 1)
    second = attempt(reply="later").where(attempts.c.number == 2)
    tried = [another_attempt(), first, second, row(attempts=2, possible_duplicate=True)]
    assert after(*tried, row(status="unknown", sent_at=None)) == set()
    assert after(*tried, evidence("sent"), row(reason="resolved")) == set()


def test_a_provider_that_certainly_took_nothing_does_not_make_a_repeated_call_a_second_message(after: Check) -> None:
    first = attempt(reply="later", provider="spare").where(attempts.c.number == 1)
    second = attempt(**UNCERTAIN).where(attempts.c.number == 2)
    assert after(another_attempt(), another_attempt(3), first, second, row(attempts=3, **KEYED)) == set()


def test_what_a_person_finds_out_is_no_work_of_a_worker(after: Check) -> None:
    late = row(name="text", deadline=at("2026-03-03T13:00:00Z"), due_at=at("2026-03-03T13:00:00Z"))
    days = [("one", "2026-03-05T12:00:00Z"), ("two", "2026-03-06T12:00:00Z")]
    resolved = [row("bob", name, reason="resolved", finished_at=at(day)) for name, day in days]
    assert after(late, *resolved) == set()


PAST, OVER = at("2026-03-02T12:00:00Z"), at("2026-03-03T06:00:00Z")
LATE = "The row is still planned after its deadline, in spite of an hour of dispatching."


def test_a_row_is_left_lying_past_its_deadline(after: Check) -> None:
    assert after(row(name="text", deadline=PAST, due_at=PAST)) == {("I4", LATE)}
    put_off = row(name="text", deadline=at("2026-03-02T04:00:00Z"))
    assert after(put_off) == {("I4", "The row is put off again and again, more than a day after its deadline.")}
    held = row(name="text", status="sending", worker="gone", lease_until=PAST, attempts=1, first_used_at=PAST)
    lost = "The row is still in flight after its lease, in spite of an hour of dispatching."
    assert after(held) == {("I4", lost)}


def test_a_row_past_its_deadline_has_an_hour_of_work_to_end_and_waits_for_the_end_of_a_pause(after: Check) -> None:
    assert after(row(name="text", deadline=OVER, due_at=OVER)) == set()
    late: dict[str, Any] = {"deadline": PAST, "due_at": PAST}
    assert after(row(name="text", reason="playbook_paused", **late)) == set()
    pause = {"scope": "playbook:care", "reason": "test", "since": at("2026-03-04T00:00:00Z")}
    assert after(row(name="text", **late), insert(pauses).values(pause)) == set()
    assert after(row(name="text", **late), insert(pauses).values(pause | {"scope": "customer:ada"})) == set()
    assert after(row(name="text", **late), insert(pauses).values(pause | {"scope": "playbook:other"})) != set()
