"""The checker finds every other promise that was broken on purpose."""

from datetime import date
from typing import Any

import pytest
from broken_promises import BEFORE_NOON2, DAY1, DAY2, KEYED, NOON1, NOON2, Check, another_attempt, attempt, of, row
from shop import Shop, at
from sqlalchemy import (
    delete,
    insert,
    literal,
    select,
    text,
    update,
)

from automation.database.audit import Act, note
from automation.database.engine import connect
from automation.database.schema import (
    OWN,
    attempts,
    consents,
    customers,
    enrollments,
    messages,
    offers,
    outcomes,
    playbook_versions,
    shard_of,
    stage_changes,
    suppressions,
)
from automation.database.work import pauses, run_parts, runs
from automation.delivery.verify import verify
from automation.settings import Settings


def consent(granted: bool, number: int, topic: str = "*", recorded: Any = BEFORE_NOON2, basis: str = "asked") -> Any:
    given = {"shard": shard_of("ada"), "customer_id": "ada", "number": number, "channel": "email", "topic": topic}
    given |= {"granted": granted, "basis": basis, "source": "test", "actor": "test", "recorded_at": recorded}
    return insert(consents).values(given)


WITHDRAWN = ("I5", "Attempt 1 began after the customer had withdrawn the consent.")


def test_a_post_begins_after_the_consent_was_withdrawn(after: Check) -> None:
    assert after(consent(False, 8)) == {WITHDRAWN}
    assert after(consent(False, 8, "offers"), consent(True, 9, "news")) == {WITHDRAWN}
    assert after(consent(False, 8), consent(False, 9)) == {WITHDRAWN}


def test_a_withdrawal_of_something_else_or_undone_or_during_the_post_accuses_nobody(after: Check) -> None:
    assert after(consent(False, 8, "news")) == set()
    assert after(consent(False, 8), consent(True, 9, "offers")) == set()
    assert after(consent(False, 8, recorded=at("2026-03-03T10:59:45Z"))) == set()
    assert after(consent(False, 8, recorded=at("2026-03-03T10:15:00Z"), basis="import")) == set()
    assert after(consent(False, 8), update(messages).values(kind="transactional")) == set()


def test_a_post_begins_after_a_suppression_an_erasure_or_a_pause(after: Check) -> None:
    bad = {"channel": "email", "address": "ada@example.com", "reason": "bounced_hard", "source": "test"}
    told = "Attempt 1 began after the address had been put on the list of those not to be written to."
    assert after(insert(suppressions).values(bad | {"recorded_at": BEFORE_NOON2})) == {("I5", told)}
    assert after(insert(suppressions).values(bad | {"recorded_at": at(NOON2)})) == set()
    erased = update(customers).where(customers.c.customer_id == "ada").values(erased_at=BEFORE_NOON2)
    assert after(erased) == {("I5", "Attempt 1 began after the customer had been erased.")}
    pause = {"scope": "playbook:care", "reason": "test", "since": BEFORE_NOON2}
    assert after(insert(pauses).values(pause)) == {("I5", "Attempt 1 began during the pause of playbook:care.")}
    assert after(insert(pauses).values(pause | {"until": at("2026-03-03T10:30:00Z")})) == set()


def capped(settings: Settings, **caps: int) -> Settings:
    return settings.model_copy(update={"email": settings.email.model_copy(update=caps)})


def test_a_customer_got_more_than_the_caps_allow(after: Check, settings: Settings) -> None:
    one_a_day, one_a_week = capped(settings, max_per_day=1), capped(settings, max_per_week=1)
    told = "With it the customer had more than 1 marketing messages by email in"
    assert after(settings=one_a_day) == set()
    assert after(settings=one_a_week) == {("I6", f"{told} seven local days.")}
    same_day = row(first_used_at=at("2026-03-02T22:30:00Z"))  # 23:30 in Rome
    assert after(same_day, settings=one_a_day) == {("I6", f"{told} one local day.")}
    next_day = row(first_used_at=at("2026-03-02T23:30:00Z"))
    assert after(next_day, settings=one_a_day) == set()
    assert after(same_day, settings=one_a_day, since=at(DAY2)) == set()
    assert ("I6", f"{told.replace('1', '0')} one local day.") in after(settings=capped(settings, max_per_day=0))


def test_a_post_begins_while_it_is_too_early_where_the_customer_lives(after: Check) -> None:
    early = attempt(started_at=at("2026-03-03T05:59:00Z"))
    told = {("I7", "Attempt 1 began outside the window, at 06:59 where the customer lives.")}
    assert after(early) == after(early, since=at(NOON1)) == told
    assert after(early, since=at(NOON2)) == set()
    assert after(early, update(messages).values(kind="transactional")) == set()
    somewhere = update(customers).where(customers.c.customer_id == "bob").values(timezone=None)  # +1 201…
    assert {invariant for invariant, _ in after(somewhere)} == {"I7"}


def test_a_message_is_pinned_to_no_version_or_to_that_of_another_playbook(after: Check) -> None:
    missing = "The playbook version that it is rendered from is not kept."
    assert after(delete(playbook_versions)) == {("I8", missing)}
    other = "It is rendered from a version of another playbook."
    assert after(update(playbook_versions).values(playbook="other")) == {("I8", other)}


@pytest.mark.parametrize("bad", ["\r\n", "\x01", "\x7f", "\x85", "\u2028"])
def test_a_control_character_stands_in_a_name_number_or_key(after: Check, bad: str) -> None:
    values = dict.fromkeys(("address", "provider_id", "idempotency_key"), f"a{bad}b")
    told = {("I9", f"There is a control character in the row's {column}.") for column in values}
    assert told <= after(row(**values))
    person = update(customers).where(customers.c.customer_id == "ada").values(email=f"a{bad}@example.com")
    assert after(person) == {("I9", "There is a control character in the customer's email.")}
    code = insert(offers).values(pool="p", code=f"A{bad}", loaded_at=at(DAY1))
    assert after(code) == {("I9", "There is a control character in a code of the pool.")}


def test_what_is_written_in_other_scripts_is_no_control_character(after: Check) -> None:
    assert after(row(provider_id="Zoë 😀 שלום ~-]^")) == set()


def test_an_offer_code_is_carried_by_a_message_of_another_enrollment(after: Check) -> None:
    other = {("I15", "It carries another offer code than its enrollment's.")}
    assert after(update(offers).values(code=offers.c.code + "X")) == other
    assert after(delete(offers)) == {("I15", "It carries an offer code that its enrollment never got.")}


def test_an_offer_code_is_given_twice_from_two_pools(after: Check) -> None:
    ada, bob = (select(enrollments.c.enrollment_id).where(enrollments.c.customer_id == one) for one in ("ada", "bob"))
    of_ada = select(offers.c.code).where(offers.c.enrollment_id.in_(ada)).scalar_subquery()
    of_bob = update(offers).where(offers.c.enrollment_id.in_(bob)).values(pool="zzz", code=of_ada)
    assert any("Its offer code was given to enrollment" in told for _, told in after(of_bob))


def test_the_history_of_stages_does_not_join_up(after: Check) -> None:
    second = (stage_changes.c.customer_id == "ada") & stage_changes.c.from_stage.is_not(None)
    gap = update(stage_changes).where(second).values(from_stage="regular")
    told = "The change of 2026-03-03 leaves the stage regular, but the one before led to new."
    assert after(gap) == {("history", told)}
    told = "The customer stands in buyer, but the newest change led to new."
    said = ("I14", "The run says 1 stage changes; there are 0 of its date.")
    assert after(delete(stage_changes).where(second)) == {("history", told), said}
    still = update(stage_changes).where(second).values(from_stage="buyer")
    assert ("history", "The change of 2026-03-03 changes nothing.") in after(still)


def test_a_run_is_done_and_its_parts_are_not(after: Check) -> None:
    assert after(update(run_parts).values(finished_at=None)) == {
        ("runs", "The run is done, but 1 of its parts are not.")
    }
    assert after(update(run_parts).values(last_shard=99)) == {("runs", "The run's parts cover 100 shards of 256.")}


def test_a_run_of_an_earlier_date_was_broken_off_and_left(after: Check) -> None:
    first = update(runs).where(runs.c.date == date(2026, 3, 2)).values(status="running")
    told = ("runs", "The run was never finished, and one of a later date is done.")
    assert told in after(first)
    assert told not in after(first.values(status="missed"))


def test_what_a_run_says_it_did_is_not_there(after: Check) -> None:
    first = (runs.c.date == date(2026, 3, 2)) & (runs.c.status == "done")
    summary = {"entered": {"care": 4}, "changes": 5, "planned": 9}
    assert after(update(runs).where(first).values(summary=summary)) == {
        ("I14", "The run says that 4 entered a playbook; there are 3 such passages."),
        ("I14", "The run says 5 stage changes; there are 3 of its date."),
        ("I14", "The run says it planned 9 messages; only 3 are there."),
    }


def passage(customer: str = "bob", **values: Any) -> Any:
    return update(enrollments).where(enrollments.c.customer_id == customer).values(**values)


def test_a_message_of_a_passage_is_lost(after: Check) -> None:
    lost = "The passage is past 2 steps, and only 2 messages of it are there."
    ended = "The passage goes on, and 0 of its messages are still to end."
    assert after(delete(messages).where(of("bob", "text"))) == {("I4", lost), ("I4", ended)}
    closed = passage(exited_at=at(NOON2), exit_reason="completed", next_step=4)
    assert ("I4", "The passage is past 4 steps, and only 3 messages of it are there.") in after(closed)


def test_two_messages_of_a_passage_wait_at_once(after: Check) -> None:
    again = row("bob", "two", status="planned", sent_at=None, finished_at=None, attempts=0)
    told = after(again)
    assert ("I4", "The passage goes on, and 2 of its messages are still to end.") in told
    assert ("I4", "2 messages of one passage are still to end.") in told


def test_a_message_is_posted_again_after_it_was_taken(after: Check) -> None:
    later = attempt(reply="refused").where(attempts.c.number == 2)
    told = after(row(attempts=2, possible_duplicate=True), another_attempt(), later)
    assert told == {("I3", "It was posted again after the provider had taken it.")}


def test_a_key_stands_for_no_bytes(after: Check) -> None:
    told = ("I3", "It has a key and does not say for which bytes, or since when.")
    assert after(row(idempotency_key="k")) == {told}
    assert after(row(**KEYED)) == set()


def test_an_outcome_is_told_of_a_message_that_never_was_posted(after: Check) -> None:
    ids = select(messages.c.shard, messages.c.message_id, literal("p"), literal("k"), literal("delivered"))
    happened = ids.add_columns(messages.c.planned_at, messages.c.planned_at).where(of("bob", "text"))
    columns = ["shard", "message_id", "provider", "event_key", "outcome", "happened_at", "received_at"]
    told = after(insert(outcomes).from_select(columns, happened))
    assert told == {("I12", "It has an outcome (delivered) and never was posted.")}


def test_a_code_that_was_given_does_not_say_until_when(after: Check) -> None:
    told = ("I15", "Its offer code does not say since or until when.")
    assert after(update(offers).values(expires_at=None)) == {told}


def by_hand(act: Act, about: str, recorded: str, until: str | None = None) -> Any:
    return lambda connection: note(connection, "Ada", act, about, "", at(recorded), at(until) if until else None)


@pytest.mark.parametrize("scope", ["everything", "playbook:care", "provider:sandbox_email"])
def test_a_post_begins_during_a_pause_by_hand_that_is_over_by_now(after: Check, scope: str) -> None:
    before, resumed = "2026-03-03T10:00:00Z", "2026-03-03T12:00:00Z"
    told = {("I5", f"Attempt 1 began during a pause of {scope} by hand.")}
    pause, resume = by_hand("pause", scope, before), by_hand("resume", scope, resumed)
    assert after(pause, resume) == told
    assert after(by_hand("pause", scope, before, "2026-03-03T11:30:00Z")) == told


def test_a_pause_of_something_else_or_over_before_the_post_accuses_nobody(after: Check) -> None:
    before, over = "2026-03-03T10:00:00Z", "2026-03-03T10:30:00Z"
    assert after(by_hand("pause", "everything", before), by_hand("resume", "everything", over)) == set()
    assert after(by_hand("pause", "everything", before, over)) == set()
    assert after(by_hand("pause", "playbook:other", before)) == set()
    assert after(by_hand("pause", "provider:other", before)) == set()
    assert after(by_hand("pause", "everything", "2026-03-03T10:59:50Z")) == set()


def test_a_row_belongs_to_nothing(after: Check) -> None:
    assert ("orphan", "The message belongs to an enrollment that is not there.") in after(delete(enrollments))
    assert ("orphan", "An offer code belongs to an enrollment that is not there.") in after(delete(enrollments))
    assert ("orphan", "Attempt 1 belongs to a message that is not there.") in after(delete(messages))
    assert ("orphan", "The enrollment belongs to a customer who is not there.") in after(delete(customers))
    other = "The message and its enrollment name different customers or playbooks."
    assert after(row(customer_id="bob")) >= {("orphan", other)}
    happened = {"shard": 1, "message_id": 1, "provider": "p", "event_key": "k", "outcome": "delivered"}
    happened |= {"happened_at": at(NOON2), "received_at": at(NOON2)}
    told = "An outcome (delivered) belongs to a message that is not there."
    assert after(insert(outcomes).values(happened)) == {("orphan", told)}


def test_a_customer_is_in_a_playbook_twice_where_no_constraint_stands(after: Check) -> None:
    copied = {one.name: one.label(one.name) for one in enrollments.c}
    copied["enrollment_id"] = (enrollments.c.enrollment_id + 256 * 99).label("enrollment_id")
    mine = select(*copied.values()).where(enrollments.c.customer_id == "ada", enrollments.c.playbook == "care")
    told = after(text("DROP INDEX one_open_enrollment"), insert(enrollments).from_select(list(copied), mine))
    assert ("I1", "The customer is in the playbook 2 times at once.") in told
    assert {invariant for invariant, _ in told} == {"I1", "I4", "I14"}


def test_a_step_has_two_rows_where_no_constraint_stands(shop: Shop, after: Check) -> None:
    if shop.database.is_sqlite:
        pytest.skip("SQLite cannot drop a constraint")
    told = after(text("ALTER TABLE messages DROP CONSTRAINT one_message_per_step"), row(step="one"))
    assert told == {("I1", "The enrollment has 2 rows for its step one.")}


def copy_of(step: str, name: str = "two", **values: Any) -> Any:
    """The message of one step once more, as a copy of the message of another."""
    original = select(messages.c.message_id).where(of("ada", step), OWN).scalar_subquery()
    columns: dict[str, Any] = {one.name: one for one in messages.c}
    columns |= {
        "message_id": messages.c.message_id + 256 * (99 + values.get("again", 1)),
        "again_of": original,
        "again": literal(1),
    }
    columns |= {"asked_by": literal("eve")} | {key: literal(value) for key, value in values.items()}
    rows = select(*(value.label(key) for key, value in columns.items())).where(of("ada", name), OWN)
    return insert(messages).from_select(list(columns), rows)


UNSENT: dict[str, Any] = {"status": "skipped", "attempts": 0, "reason": "no_consent"}


def test_a_copy_that_nobody_asked_for_is_found(after: Check) -> None:
    assert ("I1", "It is a copy, and the audit log does not say who asked for it.") in after(copy_of("two", **UNSENT))


def test_a_copy_of_another_step_is_found(after: Check) -> None:
    assert ("I1", "It is a copy of a message to somebody else, or of another step.") in after(copy_of("one", **UNSENT))


def test_two_copies_at_once_are_found_where_no_index_stands(after: Check) -> None:
    waiting: dict[str, Any] = {"status": "planned", "attempts": 0}
    told = after(text("DROP INDEX one_open_copy"), copy_of("two", **waiting), copy_of("two", again=2, **waiting))
    assert ("I1", "2 copies of the step two are to be sent at once.") in told


def test_a_database_without_a_run_has_no_violations(sqlite_url: str, settings: Settings) -> None:
    database = connect(sqlite_url)
    assert verify(database, settings).ok
    database.close()
