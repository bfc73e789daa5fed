"""Why they got it, or did not: real runs and a real sandbox, on both databases."""

from typing import Any

import pytest
from shop import Shop, playbook, step
from sqlalchemy import Connection, select

from automation.customers.facts.compute import facts_table
from automation.customers.lookup import find_customer
from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.schema import enrollments
from automation.delivery.answers.explain import Explanation, explain
from automation.delivery.answers.past import Past
from automation.delivery.answers.seen import SEEN
from automation.delivery.decide import GATES
from automation.delivery.desk import Desk, open_desk
from automation.delivery.health import by_hand
from automation.errors import UnknownCustomer, UnknownPlaybook
from automation.lifecycle.evaluate import customers_by_stage
from automation.lifecycle.standing import standing_as_of, standing_at_last_run
from automation.playbooks.passages import arm_of
from automation.reasons import Reason
from automation.values import instant

BEFORE, RUN, SENT = "2026-01-10T04:00:00Z", "2026-01-10T05:00:00Z", "2026-01-10T09:00:00Z"
KNOWN, LATER = "2026-01-02T09:00:00Z", "2026-01-10T12:00:00Z"
GOAL = '[goal]\nevent = "Order"\nwithin = "14 days"\n'
STEPS = step("we_miss_you", at="10:00") + step("reminder", "hello/text", "sms", after="3 days", when="can_sms")
RULES = {"when": "orders >= 1 and revenue > 5", "exit_when": "days_since(last_order) <= 1"}


@pytest.fixture(autouse=True)
def _people(shop: Shop) -> None:
    """Anna and Bob have not bought for long, Carl never did; Bob agreed to nothing."""
    shop.per_day, shop.per_week = 1, 2
    win_back = playbook(GOAL + STEPS, stages=["leaving"], reenter_after="180 days", **RULES)
    shop.write(win_back=win_back, welcome=playbook(stages=["aware"]))
    with (shop.folder / "playbooks" / "facts.toml").open("a") as facts:
        facts.write('[revenue]\nevent = "Order"\nsum = "revenue"\n')
    shop.customers("anna", "carl", now=KNOWN)
    shop.customers("bob", now=KNOWN, email_consent=None, sms_consent=None)
    shop.orders("anna", "2025-10-01T09:00:00Z", revenue=40.5)
    shop.orders("bob", "2025-10-01T09:00:00Z", revenue=20)


def desk_of(shop: Shop, connection: Connection) -> Desk:
    return open_desk(connection, shop.settings, shop.book)


def told(shop: Shop, customer: str, now: str, playbook: str = "win_back") -> Explanation:
    with shop.database.reading() as connection:
        past = Past(connection, desk_of(shop, connection), customer, instant(now))
        return explain(past, playbook)[0]


def checks(found: Explanation) -> dict[str, Any]:
    """The last check of each rule."""
    return {check.rule: (check.value, check.passed) for check in found.checks}


def test_there_are_words_for_what_every_gate_looks_at() -> None:
    assert [gate.__name__ for gate in GATES] == list(SEEN)


def test_a_customer_whom_the_next_run_would_enroll_is_told_so_with_the_gates_of_the_first_step(shop: Shop) -> None:
    found = told(shop, "anna", BEFORE)
    assert (found.verdict, found.reason) == ("would_enter", Reason.NOT_EVALUATED)
    assert all(check.passed for check in found.checks)
    seen = checks(found)
    assert seen["stage in (gone)"] == ("gone", True)
    assert seen["revenue > 5"] == (40.5, True)
    assert seen["no_consent"] == ("granted 2026-01-02 by rows.jsonl on *", True)
    assert seen["step we_miss_you (email)"] == ("would be planned for 2026-01-10 10:00 CET", True)


def test_a_customer_without_consent_would_enter_and_yet_get_nothing(shop: Shop) -> None:
    found = told(shop, "bob", BEFORE)
    assert (found.verdict, found.reason) == ("would_enter", Reason.NO_CONSENT)
    assert checks(found)["no_consent"] == ("none on record for email and offers", False)


def test_explaining_changes_nothing_and_the_run_does_as_was_told(shop: Shop) -> None:
    for customer in ("anna", "bob"):
        told(shop, customer, BEFORE)
    with shop.database.reading() as connection:
        assert connection.execute(select(enrollments)).first() is None
    shop.evaluate(RUN)
    assert told(shop, "anna", LATER).verdict == told(shop, "bob", LATER).verdict == "in_progress"
    assert told(shop, "carl", LATER).verdict == "no"


def test_whoever_stands_in_another_stage_learns_which(shop: Shop) -> None:
    found = told(shop, "carl", BEFORE)
    assert (found.verdict, found.reason) == ("no", Reason.OTHER_STAGE)
    assert checks(found)["stage in (gone)"] == ("new", False)
    assert checks(found)["orders >= 1"] == (0, False)


def test_a_rule_that_does_not_hold_is_shown_with_the_value_seen(shop: Shop) -> None:
    shop.orders("carl", "2025-10-01T09:00:00Z", revenue=5)
    found = told(shop, "carl", BEFORE)
    assert found.reason == Reason.RULE
    assert checks(found)["revenue > 5"] == (5, False)


def test_a_sent_message_shows_when_and_that_every_gate_let_it_through(shop: Shop) -> None:
    shop.evaluate(RUN)
    assert shop.send(SENT)["sent"] == 2
    found = told(shop, "anna", LATER)
    assert found.told[0] == "step we_miss_you (email): sent on 2026-01-10 10:00 CET"
    assert [check.rule for check in found.checks if check.passed][-13:] == list(SEEN)
    assert checks(found)["over_cap"] == ("0 of 1 sent that day, 0 of 2 in 7 days", True)


def test_a_skipped_message_shows_the_recorded_reason_and_no_gate_that_was_not_reached(shop: Shop) -> None:
    shop.evaluate(RUN)
    found = told(shop, "bob", LATER)
    first = list(found.checks)[: [check.rule for check in found.checks].index("step reminder (sms)")]
    assert found.reason in {Reason.NO_ADDRESS, Reason.NO_CONSENT}
    assert [check.rule for check in first][-5:] == [
        "step we_miss_you (email)",
        "erased",
        "suppressed_address",
        "no_address",
        "no_consent",
    ]
    assert not first[-1].passed
    assert first[-5].value == "skipped on 2026-01-10 06:00 CET: no_consent"


def test_consent_given_or_withdrawn_later_does_not_rewrite_what_was_seen_then(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.send(SENT)
    with shop.database.writing() as connection:
        row = find_customer(connection, "anna")
        withdraw_consent(connection, row.shard, "anna", "email", "page", "anna", instant("2026-01-11T09:00:00Z"))
    found = told(shop, "anna", "2026-01-12T09:00:00Z")
    seen = [check for check in found.checks if check.rule == "no_consent"]
    assert seen[0].value == "granted 2026-01-02 by rows.jsonl on *"
    assert seen[0].passed


def test_a_pause_for_one_person_is_what_their_message_waits_for_and_no_message_from_before_it(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.send(SENT)
    with shop.database.writing() as connection:
        by_hand.pause(connection, "customer:anna", "Ada", "moving house", None, instant(LATER))
    found = told(shop, "anna", "2026-01-11T10:00:00Z")
    assert [check.value for check in found.checks if check.rule == "paused"] == ["no", "customer:anna is paused"]
    assert found.reason == Reason.CUSTOMER_PAUSED


def test_a_message_that_waits_is_asked_as_of_now(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.send(SENT)
    with shop.database.writing() as connection:
        moment = instant("2026-01-11T09:00:00Z")
        suppress_address(connection, "sms", "+12015550123", "complained", "twilio", moment)
    assert told(shop, "anna", "2026-01-11T08:00:00Z").reason == Reason.ALREADY_ENROLLED
    found = told(shop, "anna", "2026-01-11T10:00:00Z")
    assert found.reason == Reason.SUPPRESSED_ADDRESS
    assert checks(found)["suppressed_address"] == ("complained since 2026-01-11 by twilio", False)
    assert checks(found)["step_rule"] == ("can_sms: no", False)


def test_an_earlier_instant_does_not_know_what_came_later(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.send(SENT)
    found = told(shop, "anna", "2026-01-10T08:00:00Z")
    assert found.told == ["step we_miss_you (email): planned for 2026-01-10 10:00 CET"]
    assert told(shop, "anna", BEFORE).verdict == "would_enter"


def test_whoever_met_the_goal_left_and_may_enter_again_after_the_pause(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.send(SENT)
    shop.orders("anna", "2026-01-10T20:00:00Z", revenue=9)
    before = told(shop, "anna", "2026-01-10T21:00:00Z")
    assert (before.verdict, before.reason) == ("in_progress", Reason.GOAL_MET)
    shop.evaluate("2026-01-11T05:00:00Z")
    found = told(shop, "anna", "2026-01-12T09:00:00Z")
    assert (found.verdict, found.reason) == ("exited", Reason.GOAL_MET)
    assert checks(found)["enters again after 180 days"] == ("left on 2026-01-11", False)
    assert told(shop, "anna", "2026-08-01T09:00:00Z").verdict == "would_enter"


def test_the_entry_is_shown_with_the_values_of_its_day(shop: Shop) -> None:
    shop.evaluate(RUN)
    shop.orders("anna", "2026-01-10T20:00:00Z", revenue=100)
    assert checks(told(shop, "anna", "2026-01-10T21:00:00Z"))["revenue > 5"] == (40.5, True)


def test_a_playbook_that_is_gone_still_explains_what_it_did(shop: Shop) -> None:
    shop.evaluate(RUN)
    (shop.folder / "playbooks" / "win_back.toml").unlink()
    found = told(shop, "anna", LATER)
    assert found.reason == Reason.PLAYBOOK_REMOVED
    assert found.checks[0].rule == "step we_miss_you (email)"


def test_every_playbook_is_explained_unless_one_is_named(shop: Shop) -> None:
    with shop.database.reading() as connection:
        past = Past(connection, desk_of(shop, connection), "anna", instant(BEFORE))
        assert [one.playbook for one in explain(past)] == ["welcome", "win_back"]
        with pytest.raises(UnknownPlaybook, match='did you mean "win_back"'):
            explain(past, "winback")
        with pytest.raises(UnknownCustomer):
            Past(connection, desk_of(shop, connection), "nobody", instant(BEFORE))


def test_the_arm_that_would_be_drawn_is_the_one_that_enrolling_draws(shop: Shop) -> None:
    variants = '[[steps.variants]]\nkey = "short"\ntemplate = "hello/text"\nweight = 0.5\n'
    shop.write(win_back=playbook(STEPS + variants, stages=["aware"], holdout=0.3))
    shop.customers(*(f"customer-{number}" for number in range(60)))
    shop.evaluate(RUN)
    with shop.database.reading() as connection:
        rows = select(enrollments.c.customer_id, enrollments.c.arm).where(enrollments.c.playbook == "win_back")
        drawn = {row.customer_id: row.arm for row in connection.execute(rows)}
    win_back = shop.book.playbooks["win_back"]
    assert {one: arm_of(win_back, 0.0, one) for one in drawn} == drawn
    assert set(drawn.values()) == {"holdout", "short", "main"}


def test_counts_as_of_an_instant_are_those_of_a_run_at_that_instant(shop: Shop) -> None:
    book, now = shop.book, instant(RUN)
    with shop.database.reading() as connection:
        assert standing_at_last_run(connection, book.lifecycle) is None
        foretold = standing_as_of(connection, book.lifecycle, book.facts, desk_of(shop, connection).day(now))
    shop.evaluate(RUN)
    with shop.database.reading() as connection:
        found = standing_at_last_run(connection, book.lifecycle)
        assert found == foretold
        assert found.customers == customers_by_stage(connection, book.lifecycle, facts_table(book.facts))
        assert found.customers == {"new": 1, "buyer": 0, "regular": 0, "gone": 2}
        earlier = desk_of(shop, connection).day(instant("2025-10-02T05:00:00Z"))
        then = standing_as_of(connection, book.lifecycle, book.facts, earlier).customers
    assert then == {"new": 1, "buyer": 2, "regular": 0, "gone": 0}
