"""From planned to what became of it, over real HTTP to the sandbox, on both databases."""

from datetime import timedelta

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import select, update

from automation.customers.codes import fill_pattern
from automation.customers.suppress import withdraw_consent
from automation.database.schema import consents, messages, offers, shard_of, suppressions
from automation.database.work import pauses
from automation.delivery.offers import Wanted, load_codes, reserve
from automation.playbooks.model import Offer

DAY1, NOON1, DAY2, NOON2 = (
    "2026-03-02T05:00:00Z",
    "2026-03-02T11:00:00Z",
    "2026-03-03T05:00:00Z",
    "2026-03-03T11:00:00Z",
)


def test_what_is_due_is_sent_once_with_a_way_to_leave(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", first_name="Ada")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["sent"] == 1
    assert shop.send(NOON1)["sent"] == 0
    (taken,) = shop.log()
    assert (taken["recipient"], taken["subject"]) == ("ada@example.com", "Hello Ada")
    (row,) = shop.rows()
    assert (row.status, row.provider, row.attempts, row.sent_at) == ("sent", "sandbox_email", 1, at(NOON1))
    assert (taken["mid"], taken["provider_id"]) == (str(row.message_id), row.provider_id)
    assert shop.attempts() == [(1, "accepted", None)]


def test_an_early_message_waits_for_the_morning_where_the_customer_lives(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.customers("bob", timezone="America/New_York")
    shop.evaluate(DAY1)
    assert [(row.customer_id, row.due_at) for row in sorted(shop.rows(), key=lambda row: row.customer_id)] == [
        ("ada", at("2026-03-02T07:00:00Z")),
        ("bob", at("2026-03-02T13:00:00Z")),
    ]
    assert shop.send("2026-03-02T07:00:00Z")["sent"] == 1
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 1


def test_steps_follow_each_other_after_their_delay(shop: Shop) -> None:
    shop.write(care=playbook(step("one") + step("two", "hello/text", "sms", after="1 days", at="17:00")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    assert shop.statuses() == [("ada", "one", "sent", None), ("ada", "two", "planned", None)]
    assert shop.rows()[-1].due_at == at("2026-03-03T16:00:00Z")
    shop.send("2026-03-03T16:00:00Z")
    assert shop.statuses()[-1] == ("ada", "two", "sent", None)
    assert [one["kind"] for one in shop.log()] == ["postmark", "twilio"]
    assert shop.passages() == [("ada", "care", "completed")]


def test_a_delay_of_whole_days_does_not_drift_with_the_seconds_of_sending(shop: Shop) -> None:
    shop.write(care=playbook(step("one", at="10:00") + step("two", after="5 days", at="10:00")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send("2026-03-02T09:00:07Z")
    assert shop.rows()[-1].due_at == at("2026-03-07T09:00:00Z")


def test_a_step_whose_rule_is_false_is_skipped_and_the_next_one_follows(shop: Shop) -> None:
    shop.write(care=playbook(step("one", when="orders >= 1") + step("two")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    assert shop.statuses() == [("ada", "one", "skipped", "step_rule"), ("ada", "two", "sent", None)]


def test_consent_withdrawn_after_planning_is_seen_before_the_post(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "test", "test", at(DAY1))
    assert shop.send(NOON1)["skipped"] == {"no_consent": 1}
    assert shop.log() == []


def test_an_event_that_came_in_after_the_daily_run_stops_the_nudge(shop: Shop) -> None:
    goal = '[goal]\nevent = "Order"\nwithin = "9 days"\n'
    shop.write(hope=playbook(goal + step("one")), rule=playbook(step("one"), exit_when="orders >= 1"))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.orders("ada", "2026-03-02T06:00:00Z")
    assert shop.send(NOON1)["skipped"] == {"exit_rule": 1, "goal_met": 1}
    assert shop.passages() == [("ada", "hope", "goal_met"), ("ada", "rule", "exit_rule")]


def test_the_more_important_message_goes_and_the_other_says_why_it_waits(shop: Shop) -> None:
    shop.per_day = 1
    shop.write(
        minor=playbook(step("one", late_by="3 days"), priority=10),
        major=playbook(step("one", at="11:00"), priority=90),
    )
    shop.customers("ada")
    assert shop.evaluate(DAY1)["held"] == {"outranked": 1}
    assert shop.send(NOON1)["sent"] == 1
    assert {row.playbook: (row.status, row.reason) for row in shop.rows()} == {
        "major": ("sent", None),
        "minor": ("planned", "outranked"),
    }
    assert shop.send(NOON2)["sent"] == 1


def test_caps_count_what_was_sent_and_hold_across_playbooks(shop: Shop) -> None:
    shop.per_week = 2
    shop.write(**{f"p{number}": playbook(step("one", late_by="2 weeks")) for number in range(4)})
    shop.customers("ada")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["sent"] == 2
    assert [shop.send(f"2026-03-{day:02}T11:00:00Z")["sent"] for day in range(3, 10)] == [0, 0, 0, 0, 0, 0, 2]


def test_a_late_message_expires_instead_of_being_sent(shop: Shop) -> None:
    shop.write(care=playbook(step("one", late_by="3 hours")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    assert shop.send("2026-03-02T10:00:01Z")["expired"] == 1
    assert shop.statuses() == [("ada", "one", "expired", "too_late")]


@pytest.mark.parametrize("scope", ["everything", "playbook:care"])
def test_a_pause_holds_and_its_end_lets_go(shop: Shop, scope: str) -> None:
    shop.write(care=playbook(step("one", late_by="9 days")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.pause(scope)
    assert sum(shop.send(NOON1)["held"].values()) == 1
    with shop.database.writing() as connection:
        connection.execute(pauses.delete())
    assert shop.send("2026-03-02T12:00:00Z")["sent"] == 1


def test_asked_to_come_back_later_the_message_and_its_provider_wait(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.fault(answer=429, retry_after="600", times=1, kind="postmark")
    assert shop.send(NOON1)["held"] == {"retry": 2}
    assert all(row.due_at >= at(NOON1) + timedelta(minutes=10) for row in shop.rows())
    assert shop.log() == []
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 2
    assert [row.attempts for row in shop.rows()] == [2, 2]


@pytest.mark.parametrize("fault", [{"answer": 500}, {"hang": 5}, {"cut": "after"}, {"cut": "half"}])
def test_nobody_knows_is_shown_as_unknown_and_not_sent_again(shop: Shop, fault: dict[str, object]) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(**fault, times=1, kind="postmark")
    told = shop.send(NOON1)
    taken_for_certain = fault == {"cut": "half"}  # the status line came: 200
    assert told["sent" if taken_for_certain else "unknown"] == 1
    assert shop.send("2026-03-02T12:00:00Z")["sent"] == 0
    assert len(shop.log()) <= 1


def test_with_resend_it_goes_again_and_is_marked(shop: Shop) -> None:
    shop.write(care=playbook(step("one", on_unknown="resend")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(answer=500, times=1, kind="postmark")
    assert shop.send(NOON1)["held"] == {"resent": 1}
    assert shop.send("2026-03-02T12:00:00Z")["sent"] == 1
    (row,) = shop.rows()
    assert (row.possible_duplicate, row.attempts) == (True, 2)


def test_what_may_have_been_taken_stays_unknown_whatever_comes_later(shop: Shop) -> None:
    shop.write(care=playbook(step("one", on_unknown="resend", late_by="1 hours")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(answer=500, times=1, kind="postmark")
    shop.send("2026-03-02T07:30:00Z")
    assert shop.send(NOON1)["unknown"] == 1
    assert shop.statuses() == [("ada", "one", "unknown", "no_answer")]


def test_a_provider_that_remembers_keys_is_given_one_that_the_rows_keep(shop: Shop) -> None:
    shop.kind = "resend"
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.fault(answer=422, times=1)
    assert shop.send(NOON1)["sent"] == 2  # the refused batch went one by one, each under a key of its own
    assert len({row.idempotency_key for row in shop.rows()} - {None}) == 2
    assert {(one["kind"], one["mid"]) for one in shop.log()} == {("resend", str(row.message_id)) for row in shop.rows()}


def test_nobody_at_the_door_costs_no_message(shop: Shop) -> None:
    real, shop.url = shop.url, "http://127.0.0.1:1"
    shop.write(care=playbook(step("one", late_by="2 days")))
    shop.customers(*(f"c{number}" for number in range(5)))
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["held"] == {"retry": 5}
    shop.url = real
    shop.write(care=playbook(step("one", late_by="2 days")))
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 5


def test_numbers_that_do_not_exist_at_the_head_of_the_queue_are_each_posted_once(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms")))
    shop.customers(*(f"c{number}" for number in range(12)), phone="+15005550001")
    shop.customers("zoe", phone="+12015550123")
    shop.evaluate(DAY1)
    told = shop.send(NOON1)
    assert (told["sent"] + told["rejected"] + told["skipped"].get("suppressed_address", 0)) == 13
    assert told["sent"] == 1
    assert all(row.attempts <= 1 for row in shop.rows())


def test_while_no_provider_is_fit_what_is_too_late_expires_and_the_rest_waits(shop: Shop) -> None:
    shop.write(short=playbook(step("one", late_by="1 hours")), long=playbook(step("one", late_by="2 days")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.pause("provider:sandbox_email")
    told = shop.send(NOON1)
    assert (told["expired"], told["held"]) == (1, {"provider_paused": 1})
    assert [(row.playbook, row.status) for row in shop.rows()] == [("long", "planned"), ("short", "expired")]


def test_wrong_credentials_pause_the_provider_after_three_posts_and_lose_nothing(shop: Shop) -> None:
    shop.batch = 1
    shop.write(care=playbook(step("one", late_by="2 days")))
    shop.customers(*(f"c{number}" for number in range(9)))
    shop.evaluate(DAY1)
    shop.fault(answer=401, times=100, kind="postmark")
    told = shop.send(NOON1)
    assert sum(told["held"].values()) == 9
    assert len(shop.attempts()) == 3
    assert [row.scope for row in shop.rows(pauses)] == ["provider:sandbox_email"]


def test_a_refused_recipient_is_rejected_suppressed_and_disturbs_nobody(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    shop.customers("cem", email="inactive@example.com")
    shop.evaluate(DAY1)
    told = shop.send(NOON1)
    assert (told["sent"], told["rejected"]) == (2, 1)
    assert ("cem", "hello", "rejected", "invalid_address") in shop.statuses()
    assert [(row.channel, row.address) for row in shop.rows(suppressions)] == [("email", "inactive@example.com")]


def test_a_number_that_opted_out_at_the_provider_withdraws_the_consent(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms")))
    shop.customers("ada", phone="+15005550004")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["rejected"] == 1
    newest = [row for row in shop.rows(consents) if row.channel == "sms"][-1]
    assert (newest.granted, newest.topic, newest.actor) == (False, "*", "provider")


def test_a_row_that_cannot_be_rendered_ends_alone(shop: Shop) -> None:
    shop.write(care=playbook())
    (shop.folder / "templates/hello/hello.en.md").write_text(
        '+++\nsubject = "Hello {{ customer.first_name }}"\n+++\nHi\n', encoding="utf-8"
    )
    shop.customers("ada", first_name="Ada")
    shop.customers("bob")
    shop.evaluate(DAY1)
    told = shop.send(NOON1)
    assert (told["sent"], told["failed"]) == (1, 1)
    assert ("bob", "hello", "failed", "cannot_render") in shop.statuses()


def test_a_message_is_rendered_from_the_text_it_was_planned_with(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", first_name="Ada")
    shop.evaluate(DAY1)
    (shop.folder / "templates/hello/hello.en.md").write_text('+++\nsubject = "New"\n+++\nHi\n', encoding="utf-8")
    shop.send(NOON1)
    assert shop.log()[0]["subject"] == "Hello Ada"


def test_rows_of_a_worker_that_died_become_unknown_when_their_lease_is_over(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:
        died = {
            "status": "sending",
            "worker": "dead",
            "fence": 1,
            "attempts": 1,
            "batch": "b",
            "provider": "sandbox_email",
        }
        connection.execute(
            update(messages).values(**died, first_used_at=at(NOON1), lease_until=at(NOON1) + timedelta(minutes=5))
        )
    assert shop.send("2026-03-02T11:04:00Z")["unknown"] == 0
    assert shop.send("2026-03-02T11:06:00Z")["unknown"] == 1
    assert shop.statuses() == [("ada", "hello", "unknown", "no_answer")]
    assert shop.attempts() == [(1, "unknown", "worker_lost")]


OFFER = '[offer]\ngenerate = "WB-########"\nvalid_for = "2 days"\n'


def test_an_offer_code_is_one_for_each_enrollment_and_no_message_outlives_it(shop: Shop) -> None:
    steps = step("one") + step("two", after="1 days") + step("three", after="1 days", late_by="5 days")
    shop.write(care=playbook(OFFER + steps))
    (shop.folder / "templates/hello/hello.en.md").write_text(
        '+++\nsubject = "{{ offer.code }}"\n+++\nUntil {{ offer.expires | date }}\n', encoding="utf-8"
    )
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    for now in (NOON1, NOON2, "2026-03-04T11:30:00Z"):
        shop.send(now)
    codes = [one["subject"] for one in shop.log()]
    assert len(codes) == 4
    assert len(set(codes)) == 2
    assert [status for status in shop.statuses() if status[1] == "three"] == [
        ("ada", "three", "expired", "offer_expired"),
        ("bob", "three", "expired", "offer_expired"),
    ]


def test_an_empty_pool_of_codes_holds_the_message(shop: Shop) -> None:
    shop.write(care=playbook('[offer]\npool = "spring"\nvalid_for = "9 days"\n' + step("one")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["held"] == {"no_offer_code": 1}


def test_a_pool_with_too_few_codes_gives_each_of_them_once_and_holds_the_rest(shop: Shop) -> None:
    shop.write(care=playbook('[offer]\npool = "spring"\nvalid_for = "9 days"\n' + step("one", late_by="3 days")))
    shop.customers("ada", "bob", "cem")
    with shop.database.writing() as connection:
        load_codes(connection, "spring", ["ONE", "TWO"], at(DAY1))
    shop.evaluate(DAY1)
    told = shop.send(NOON1)
    assert (told["sent"], told["held"]) == (2, {"no_offer_code": 1})
    with shop.database.writing() as connection:
        load_codes(connection, "spring", ["THREE"], at(NOON1))
    assert shop.send(NOON2)["sent"] == 1
    holders = [(row.code, row.enrollment_id) for row in shop.rows(offers)]
    assert sorted(code for code, _ in holders) == ["ONE", "THREE", "TWO"]
    assert len({enrollment for _, enrollment in holders}) == 3


def test_two_enrollments_never_get_the_same_generated_code_even_when_it_is_drawn_for_both(shop: Shop) -> None:
    offer = Offer.model_validate({"generate": "HI-######", "valid_for": "9 days"})
    wanted = [Wanted(1, 257, "care", offer), Wanted(2, 258, "care", offer)]
    with shop.database.writing() as connection:
        drawn = fill_pattern("HI-######", b"key", "care:2:258:0")
        load_codes(connection, "care:generated", [drawn], at(DAY1))
        codes = reserve(connection, wanted, at(DAY1), b"key")
    assert codes[257].code == fill_pattern("HI-######", b"key", "care:1:257:0")
    assert codes[258].code == fill_pattern("HI-######", b"key", "care:2:258:1")


def test_a_message_that_cannot_be_rendered_does_not_use_up_its_customers_cap(shop: Shop) -> None:
    shop.per_day = 1
    minor = playbook(step("one", late_by="3 days"), priority=10)
    shop.write(major=playbook(step("one", "hello/name"), priority=90), minor=minor)
    (shop.folder / "templates/hello/name.en.md").write_text(
        '+++\nsubject = "Hello {{ customer.first_name }}"\n+++\nHi\n', encoding="utf-8"
    )
    shop.customers("ada")
    shop.evaluate(DAY1)
    with shop.database.writing() as connection:  # as if both had come due at once
        connection.execute(update(messages).values(due_at=at(NOON1), reason=None))
    told = shop.send(NOON1)
    assert (told["failed"], told["sent"]) == (1, 1)


def test_a_number_tells_the_hour_where_nothing_else_does(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms")))
    shop.customers("ada", timezone=None, phone="+393331234567")
    shop.customers("bob", timezone=None, phone="+819012345678")
    shop.evaluate(DAY1)
    due = {row.customer_id: row.due_at for row in shop.rows()}
    assert due == {"ada": at("2026-03-02T08:00:00Z"), "bob": at(DAY1)}


def test_no_address_and_no_body_stay_in_the_row_only_what_the_template_uses_is_kept(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", first_name="Ada", secret_note="never say this")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    with shop.database.reading() as connection:
        context = connection.execute(select(messages.c.context)).scalar_one()
    assert context["customer"] == {"first_name": "Ada"}
