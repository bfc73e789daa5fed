"""What became of messages, on ledgers that real runs and the sandbox wrote."""

from datetime import date
from decimal import Decimal
from typing import Any

from reporting import report, rows
from shop import Shop, at, playbook, step
from sqlalchemy import insert, update

from automation.database.schema import messages, outcomes
from automation.reasons import Reason
from automation.reports.figures import Average, Share

RUN, NOON = "2026-01-10T05:00:00Z", "2026-01-10T12:00:00Z"
JANUARY = ("2026-01-01", "2026-01-31")


def sent_to(shop: Shop, *people: str, steps: str = "", now: str = NOON) -> None:
    shop.write(care=playbook(steps or step("hello")))
    shop.customers(*people)
    shop.evaluate(RUN)
    shop.send(now)


def tell(shop: Shop, customer: str, *told: str) -> None:
    of = next(row for row in shop.rows(messages) if row.customer_id == customer)
    happened = at("2026-01-10T13:00:00Z")
    key = {"shard": of.shard, "message_id": of.message_id, "provider": "p"}
    row = {**key, "happened_at": happened, "received_at": happened}
    with shop.database.writing() as connection:
        for number, outcome in enumerate(told):
            connection.execute(insert(outcomes).values(**row, event_key=str(number), outcome=outcome))


def values(shop: Shop) -> dict[str, Any]:
    return {key: figure.value for key, figure in report(shop, "delivery", *JANUARY).figures.items()}


def test_rates_are_of_messages_however_often_something_is_told(shop: Shop) -> None:
    people = [f"c{number}" for number in range(10)]
    sent_to(shop, *people)
    for one in people[:8]:
        tell(shop, one, "delivered", "opened", "opened")
    tell(shop, "c8", "bounced_soft", "bounced_soft")
    tell(shop, "c9", "bounced_hard", "opened")
    tell_more = {"c0": ("clicked", "unsubscribed"), "c1": ("complained",)}
    for one, told in tell_more.items():
        of = next(row for row in shop.rows(messages) if row.customer_id == one)
        row = {"shard": of.shard, "message_id": of.message_id, "provider": "link", "happened_at": at(NOON)}
        with shop.database.writing() as connection:
            for outcome in told:
                connection.execute(
                    insert(outcomes).values(**row, received_at=at(NOON), event_key=outcome, outcome=outcome)
                )
    found = values(shop)
    assert found["delivery_rate"] == Share(8, 10)
    assert (found["hard_bounce_rate"], found["soft_bounce_rate"]) == (Share(1, 10), Share(1, 10))
    assert (found["open_rate"], found["click_rate"]) == (Share(8, 8), Share(1, 8))
    assert (found["complaint_rate"], found["unsubscribe_rate"]) == (Share(1, 8), Share(1, 8))


def test_a_soft_bounce_that_arrived_after_all_is_no_return(shop: Shop) -> None:
    sent_to(shop, "anna")
    tell(shop, "anna", "bounced_soft", "delivered")
    assert (values(shop)["soft_bounce_rate"], values(shop)["delivery_rate"]) == (Share(0, 1), Share(1, 1))


def test_what_the_provider_gave_up_is_neither_a_hard_nor_a_soft_bounce(shop: Shop) -> None:
    sent_to(shop, "anna", "bob", "carla")
    tell(shop, "anna", "bounced_soft", "failed")
    tell(shop, "bob", "bounced_soft")
    tell(shop, "carla", "delivered")
    found = rows(report(shop, "delivery", *JANUARY), "outcomes")
    told = {row["outcome"]: row["messages"]["part"] for row in found}
    assert (told["bounced_hard"], told["bounced_soft"], told["failed"], told["delivered"]) == (0, 1, 1, 1)
    assert values(shop)["open_rate"] == Share(0, 1)


def test_every_reason_has_its_sentence(shop: Shop) -> None:
    shop.write(care=playbook(step("hello")))
    shop.customers("anna")
    shop.customers("bob", email_consent=False)
    shop.evaluate(RUN)
    shop.send(NOON)
    found = rows(report(shop, "delivery", *JANUARY), "status")
    told = {(row["status"], row["reason"]): row for row in found}
    skipped = told["skipped", "no_consent"]
    assert skipped["in words"] == Reason.NO_CONSENT.sentence
    assert (skipped["email"], skipped["sms"]) == (1, 0)
    assert (skipped["messages"]["part"], skipped["messages"]["of"]) == (1, 2)
    assert told["sent", None]["in words"] == ""


def test_texts_are_told_apart_and_have_no_opens(shop: Shop) -> None:
    sent_to(shop, "anna", steps=step("hello") + step("text", "hello/text", "sms"))
    shop.evaluate("2026-01-11T05:00:00Z")
    shop.send("2026-01-11T12:00:00Z")
    found = rows(report(shop, "delivery", *JANUARY), "outcomes")
    channels = {(row["channel"], row["provider"]) for row in found}
    assert channels == {("email", "sandbox_email"), ("sms", "sandbox_sms")}
    assert {row["channel"] for row in found if row["outcome"] == "opened"} == {"email"}


def test_the_time_from_due_to_sent_is_exact(shop: Shop) -> None:
    people = [f"c{number:02}" for number in range(20)]
    sent_to(shop, *people)
    for seconds, row in enumerate(shop.rows(messages), start=1):
        moment = at(f"2026-01-10T12:00:{seconds:02}Z")
        changed = update(messages).where(messages.c.message_id == row.message_id)
        with shop.database.writing() as connection:
            connection.execute(changed.values(due_at=at(NOON), sent_at=moment))
    found = values(shop)
    assert found["seconds_to_send"] == Average(Decimal("10.5"), 20)
    assert found["seconds_to_send_95"] == Average(Decimal(19), 20)
    (waited,) = rows(report(shop, "delivery", *JANUARY), "waiting")
    assert (waited["sent"], waited["median seconds"], waited["95 % within seconds"]) == (20, Decimal("10.5"), 19)


def test_days_and_hours_are_those_of_the_business(shop: Shop) -> None:
    sent_to(shop, "anna", "bob")
    first, second = shop.rows(messages)
    moments = {first.message_id: "2026-01-10T22:59:59Z", second.message_id: "2026-01-10T23:00:00Z"}
    with shop.database.writing() as connection:
        for message, moment in moments.items():
            changed = update(messages).where(messages.c.message_id == message)
            connection.execute(changed.values(sent_at=at(moment)))
    found = report(shop, "delivery", *JANUARY)
    assert [(row["day"], row["sent"]) for row in rows(found, "days")] == [
        (date(2026, 1, 10), 1),
        (date(2026, 1, 11), 1),
    ]
    assert [(row["hour"], row["email"], row["sms"]) for row in rows(found, "hours")] == [(0, 1, 0), (23, 1, 0)]


def test_a_second_attempt_and_a_lost_answer_are_seen(shop: Shop) -> None:
    shop.write(care=playbook(step("hello")))
    shop.customers("anna", "bob")
    shop.evaluate(RUN)
    with shop.database.writing() as connection:
        anna, bob = shop.rows(messages)
        one = messages.c.message_id
        again = {"status": "sent", "attempts": 2, "possible_duplicate": True, "sent_at": at(NOON)}
        connection.execute(update(messages).where(one == anna.message_id).values(**again))
        lost = {"status": "unknown", "reason": "no_answer", "attempts": 1}
        connection.execute(update(messages).where(one == bob.message_id).values(**lost))
    found = values(shop)
    assert (found["retried"], found["possible_duplicates"], found["unknown"]) == (
        Share(1, 2),
        Share(1, 2),
        Share(1, 2),
    )


def test_silence_of_the_providers_is_said(shop: Shop) -> None:
    sent_to(shop, "anna")
    assert any("webhooks" in note for note in report(shop, "delivery", *JANUARY).notes)
    tell(shop, "anna", "delivered")
    assert report(shop, "delivery", *JANUARY).notes == []


def test_only_messages_planned_in_the_period_count(shop: Shop) -> None:
    sent_to(shop, "anna")
    assert report(shop, "delivery", "2026-01-10", "2026-01-10").figures["sent"].value == Share(1, 1)
    for dates in (("2026-01-11", "2026-01-31"), ("2025-01-01", "2026-01-09")):
        assert report(shop, "delivery", *dates).figures["sent"].value == Share(0, 0)


def test_before_anything_was_sent_there_are_no_rates(shop: Shop) -> None:
    shop.write()
    found = report(shop, "delivery", *JANUARY)
    assert {figure.value for figure in found.figures.values()} <= {Share(0, 0), Average(None, 0)}
    assert [list(table.rows) for table in found.tables] == [[]] * 5
    assert found.notes == []
