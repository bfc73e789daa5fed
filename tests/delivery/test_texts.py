"""Texts that come in: what each is taken for, what it changes, who reads it, and what is answered."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from shop import Shop, at, playbook, step

from automation.customers.customer_batch import CustomerBatch
from automation.customers.facts.compute import facts_table
from automation.customers.records import customer
from automation.customers.staging import begin_batch
from automation.customers.suppress import suppress_address
from automation.customers.wish import Wish, record_wish
from automation.database.hooks import inbound_texts
from automation.database.schema import audit_log, consents, suppressions
from automation.delivery.answers.explain import explain
from automation.delivery.answers.past import Past
from automation.delivery.desk import open_desk
from automation.delivery.hooks import Event, InboundText
from automation.delivery.outcomes.review import review, texts_of, texts_to_review
from automation.delivery.outcomes.take import take
from automation.delivery.outcomes.texts import hear
from automation.delivery.outcomes.unsubscribe import unsubscribe
from automation.delivery.verify import verify
from automation.errors import BadFiles, BadInput

DAY1, NOON, LATER, DAY2, NOON2 = (
    "2026-03-02T05:00:00Z",
    "2026-03-02T11:00:00Z",
    "2026-03-02T12:00:00Z",
    "2026-03-03T05:00:00Z",
    "2026-03-03T11:00:00Z",
)
ROME = "+393400000001"
HELP = {"family": "care", "answers": "help", "kind": "transactional", "topic": "service"}


@pytest.fixture
def written(shop: Shop) -> Shop:
    """Ada, who got a text in the morning, and will get another tomorrow."""
    text = step("one", "hello/text", "sms", late_by="3 days")
    shop.write(care=playbook(text + step("two", "hello/text", "sms", after="1 day", late_by="3 days")))
    shop.customers("ada", phone=ROME, locale="it")
    shop.evaluate(DAY1)
    assert shop.send(NOON)["sent"] == 1
    return shop


def came(shop: Shop, words: str, key: str = "t-1", number: str = ROME, **told: Any) -> None:
    with shop.database.writing() as connection:
        text = InboundText(key, number, "+15550100", words, **told)
        hear(connection, shop.settings, "sandbox_sms", text, at(LATER))


def meanings(shop: Shop) -> list[str | None]:
    return [row.meaning for row in shop.rows(inbound_texts)]


def blocked(shop: Shop) -> list[tuple[str, str]]:
    return [(row.address, row.reason) for row in shop.rows(suppressions)]


def next_text(shop: Shop) -> tuple[str, str | None]:
    shop.send(NOON2)
    (row,) = (row for row in shop.rows() if row.step == "two")
    return row.status, row.reason


def test_a_stop_in_the_customers_own_language_ends_texts(written: Shop) -> None:
    came(written, "Basta!")
    assert meanings(written) == ["stop"]
    assert blocked(written) == [(ROME, "unsubscribed")]
    assert [(row.granted, row.actor) for row in written.rows(consents) if row.channel == "sms"][-1] == (
        False,
        "customer",
    )
    assert next_text(written) == ("skipped", "suppressed_address")
    assert verify(written.database, written.settings).ok


def test_a_text_that_comes_twice_counts_once(written: Shop) -> None:
    came(written, "STOP")
    before = written.rows(consents)
    came(written, "STOP")
    assert written.rows(consents) == before
    assert len(written.rows(inbound_texts)) == 1


def test_a_suspected_text_ends_texts_until_a_person_has_read_it(written: Shop) -> None:
    came(written, "Non scrivetemi più per favore")
    assert blocked(written) == [(ROME, "suspected_stop")]
    with written.database.writing() as connection:
        (waiting,) = texts_to_review(connection)
        assert (waiting.customer_id, waiting.text) == ("ada", "Non scrivetemi più per favore")
        review(connection, waiting.number, "stop", "Bea", "clear", at(LATER))
        assert texts_to_review(connection) == []
    assert blocked(written) == [(ROME, "unsubscribed")]
    assert next_text(written) == ("skipped", "suppressed_address")
    assert [(row.actor, row.act) for row in written.rows(audit_log)] == [("Bea", "text_stop")]


def test_whoever_was_suspected_wrongly_is_written_to_again(written: Shop) -> None:
    came(written, "I cannot stop loving it", key="t-1")
    came(written, "stop being so good", key="t-2")
    with written.database.writing() as connection:
        first, second = texts_to_review(connection)
        review(connection, first.number, "keep", "Bea", "", at(LATER))
    assert blocked(written) == [(ROME, "suspected_stop")], "the other one is still to be read"
    with written.database.writing() as connection:
        review(connection, second.number, "keep", "Bea", "", at(LATER))
    assert blocked(written) == []
    assert next_text(written) == ("sent", None)


def test_a_review_is_given_once_of_a_suspected_text_and_by_somebody(written: Shop) -> None:
    came(written, "no problem", key="t-1")
    came(written, "please stop", key="t-2")
    plain, suspected = (row.number for row in written.rows(inbound_texts))
    for number, by in ((plain, "Bea"), (999, "Bea"), (suspected, " ")):
        with pytest.raises(BadInput), written.database.writing() as connection:
            review(connection, number, "keep", by, "", at(LATER))
    with written.database.writing() as connection:
        review(connection, suspected, "stop", "Bea", "", at(LATER))
        with pytest.raises(BadInput, match="before: stop"):
            review(connection, suspected, "keep", "Bea", "", at(LATER))


def test_start_is_a_new_consent_with_the_customers_own_words(written: Shop) -> None:
    came(written, "STOP", key="t-1")
    came(written, "Start", key="t-2")
    assert blocked(written) == []
    newest = [row for row in written.rows(consents) if row.channel == "sms"][-1]
    assert (newest.granted, newest.basis, newest.wording, newest.actor) == (True, "text", "Start", "customer")
    assert next_text(written) == ("sent", None)


def test_start_does_not_revive_a_number_that_bounced(written: Shop) -> None:
    with written.database.writing() as connection:
        row = {"channel": "sms", "address": ROME, "reason": "bounced_hard", "source": "x", "recorded_at": at(LATER)}
        connection.execute(suppressions.insert(), row)
    came(written, "START")
    assert blocked(written) == [(ROME, "bounced_hard")]


def test_a_yes_starts_only_where_that_is_configured(written: Shop) -> None:
    came(written, "sì", key="t-1")
    written.sections = "[sms]\nyes_is_start = true"
    written.write()
    came(written, "sì", key="t-2")
    assert meanings(written) == [None, "start"]


def test_a_stranger_who_writes_stop_is_not_written_to_either(written: Shop) -> None:
    came(written, "STOP", number="393400000009")
    assert blocked(written) == [("+393400000009", "unsubscribed")]
    assert written.rows(inbound_texts)[0].customer_id is None


def test_texts_are_found_by_customer_the_newest_first(written: Shop) -> None:
    came(written, "hello", key="t-1")
    came(written, "hello?", key="t-2")
    came(written, "hi", key="t-3", number="+393400000009")
    with written.database.reading() as connection:
        assert [row.text for row in texts_of(connection, "ada")] == ["hello?", "hello"]
        assert len(texts_of(connection, None)) == 3


@pytest.fixture
def helping(written: Shop) -> Shop:
    written.write(help=playbook(step("help", "hello/text", "sms", late_by="1 hour"), **HELP, stages=[]))
    return written


def test_help_is_answered_at_once_though_the_days_texts_are_used_up(helping: Shop) -> None:
    helping.sections = "[sms]\nmax_per_day = 1"
    helping.write()
    came(helping, "Aiuto")
    assert helping.send(LATER)["sent"] == 1
    (answer,) = (row for row in helping.rows() if row.playbook == "help")
    assert (answer.customer_id, answer.kind, answer.status) == ("ada", "transactional", "sent")
    assert helping.send(LATER)["sent"] == 0
    assert ("ada", "help", "completed") in helping.passages()
    assert verify(helping.database, helping.settings).ok


def test_two_machines_that_ask_each_other_for_help_soon_fall_silent(helping: Shop) -> None:
    for number in range(5):
        came(helping, "HELP", key=f"t-{number}")
        helping.send(LATER)
    assert [row.playbook for row in helping.rows()].count("help") == 1
    assert all(row.answered_at for row in helping.rows(inbound_texts))


def test_the_daily_run_lets_nobody_into_a_playbook_that_answers(helping: Shop) -> None:
    helping.customers("bob")
    helping.evaluate(DAY2)
    assert "help" not in {name for _, name, _ in helping.passages()}


@pytest.mark.parametrize(
    ("number", "config", "answered"),
    [
        ("+12015550123", "", 0),
        (ROME, "", 1),
        ("+12015550123", "answers_help = false", 1),
        (ROME, "answers_help = true", 0),
    ],
)
def test_where_the_vendor_answers_help_itself_we_keep_still(
    shop: Shop, number: str, config: str, answered: int
) -> None:
    shop.write(
        care=playbook(step("one", "hello/text", "sms")),
        help=playbook(step("help", "hello/text", "sms"), **HELP, stages=[]),
    )
    path = shop.folder / "config.toml"
    path.write_text(path.read_text() + config)
    shop.customers("ada", phone=number)
    shop.evaluate(DAY1)
    shop.send(NOON)
    came(shop, "help", number=number)
    assert shop.send(LATER)["sent"] == answered


def test_what_the_vendor_says_it_took_a_text_for_counts_and_is_answered_by_it(helping: Shop) -> None:
    came(helping, "Support?", word="help")
    assert meanings(helping) == ["help"]
    assert helping.send(LATER)["sent"] == 0


def test_an_explanation_says_that_nobody_asked(helping: Shop) -> None:
    helping.evaluate(DAY2)
    with helping.database.reading() as connection:
        desk = open_desk(connection, helping.settings, helping.book)
        (found,) = explain(Past(connection, desk, "ada", at(NOON2)), "help")
    assert found.reason == "not_asked"


def test_who_opts_out_at_the_vendor_without_a_text_is_heeded_too(written: Shop) -> None:
    opted_out = Event("s-1", "unsubscribed", "sms_suppression.created", recipient="393400000001")
    with written.database.writing() as connection:
        take(connection, "sandbox_sms", [opted_out], at(LATER), "sms")
    assert blocked(written) == [(ROME, "unsubscribed")]
    assert not [row for row in written.rows(consents) if row.channel == "sms"][-1].granted
    assert next_text(written) == ("skipped", "suppressed_address")


@pytest.mark.parametrize("reason", ["bounced_hard", "complained"])
@pytest.mark.parametrize("words", ["STOP", "please no more texts"])
def test_a_bounce_or_a_complaint_after_a_stop_stays_whatever_is_said_later(
    written: Shop, reason: Any, words: str
) -> None:
    came(written, words, key="t-1")
    with written.database.writing() as connection:
        suppress_address(connection, "sms", ROME, reason, "sandbox_sms", at(LATER))
    came(written, "START", key="t-2")
    assert blocked(written) == [(ROME, reason)]


def test_a_start_that_comes_late_does_not_undo_the_stop_after_it(written: Shop) -> None:
    came(written, "STOP", key="t-2", happened_at=at("2026-03-02T11:50:00Z"))
    came(written, "START", key="t-1", happened_at=at("2026-03-02T11:40:00Z"))
    assert blocked(written) == [(ROME, "unsubscribed")]
    came(written, "START", key="t-3", happened_at=at("2026-03-02T11:55:00Z"))
    assert blocked(written) == []


def sms_consent(shop: Shop, customer: str) -> list[bool]:
    return [row.granted for row in shop.rows(consents) if (row.customer_id, row.channel) == (customer, "sms")]


def test_a_start_speaks_for_whoever_has_the_number_today(written: Shop) -> None:
    written.customers("ada", phone="+393400000007", locale="it")
    came(written, "STOP", key="t-1", number="+393400000007")
    came(written, "START", key="t-2")
    assert sms_consent(written, "ada") == [True, False]


def test_a_stop_speaks_for_everybody_at_the_number_and_a_start_for_those_it_stopped(written: Shop) -> None:
    written.customers("bob", "cem", phone=ROME)
    with written.database.writing() as connection:
        record_wish(connection, Wish("cem", "sms", "*", granted=False), "Bea", "", at(LATER))
    came(written, "STOP", key="t-1")
    assert [sms_consent(written, one)[-1] for one in ("ada", "bob", "cem")] == [False] * 3
    with written.database.writing() as connection:
        record_wish(connection, Wish("cem", "sms", "*", granted=False), "Bea", "never again", at(LATER))
    came(written, "START", key="t-2")
    assert [sms_consent(written, one)[-1] for one in ("ada", "bob", "cem")] == [True, True, False]


def test_help_is_not_answered_to_another_number(helping: Shop) -> None:
    helping.customers("ada", phone="+393400000007", locale="it")
    came(helping, "HELP")
    assert helping.send(LATER)["sent"] == 0
    assert helping.rows(inbound_texts)[0].answered_at is not None


def test_everybody_at_a_number_or_an_address_is_looked_at_anew_when_it_is_closed(written: Shop) -> None:
    written.customers("bob", phone=ROME, email="ada@example.com")
    written.evaluate(DAY2)
    came(written, "please stop")
    with written.database.writing() as connection:
        suppress_address(connection, "email", "ada@example.com", "complained", "x", at(NOON2))
    written.evaluate("2026-03-04T05:00:00Z")
    facts = facts_table(written.book.facts)
    assert [(row.can_email, row.can_sms) for row in written.rows(facts)] == [(False, False)] * 2


def test_why_nothing_was_sent_while_a_number_was_closed_is_told_afterwards(written: Shop) -> None:
    came(written, "STOP", key="t-1")
    assert next_text(written) == ("skipped", "suppressed_address")
    with written.database.writing() as connection:
        text = InboundText("t-2", ROME, "+15550100", "START")
        hear(connection, written.settings, "sandbox_sms", text, at("2026-03-03T12:00:00Z"))
    with written.database.reading() as connection:
        desk = open_desk(connection, written.settings, written.book)
        (found,) = explain(Past(connection, desk, "ada", at("2026-03-04T12:00:00Z")), "care")
    seen = [check.value for check in found.checks if check.rule == "suppressed_address" and not check.passed]
    assert seen == ["unsubscribed since 2026-03-02 by sandbox_sms"]


def test_who_asked_for_help_and_was_answered_is_not_said_not_to_have_asked(helping: Shop) -> None:
    came(helping, "HELP")
    helping.send(LATER)
    with helping.database.reading() as connection:
        desk = open_desk(connection, helping.settings, helping.book)
        (found,) = explain(Past(connection, desk, "ada", at(NOON2)), "help")
    assert [check.passed for check in found.checks if check.rule == "sends a text that says help"] == [True]


@pytest.mark.parametrize("keys", [{"when": "orders >= 1"}, {"stay_while_in_stage": True}, {"kind": "marketing"}])
def test_a_playbook_that_answers_has_no_key_that_would_mean_nothing(written: Shop, keys: dict[str, Any]) -> None:
    written.write(help=playbook(step("help", "hello/text", "sms"), **{**HELP, **keys}, stages=[]))
    with pytest.raises(BadFiles):
        _ = written.book


def test_two_who_take_permissions_back_at_once_do_not_wait_for_each_other(written: Shop) -> None:
    """Many rounds: one order of locks is kept everywhere, or PostgreSQL would end one of them."""
    written.customers("bob", phone=ROME)
    rows = written.rows()

    def link(_: int) -> None:
        with written.database.writing() as connection:
            unsubscribe(connection, rows[0].message_id, at(LATER))

    def text(number: int) -> None:
        came(written, "STOP", key=f"t-{number}")

    def file(_: int) -> None:
        no = [customer({"customer_id": one, "sms_consent": False}, csv=False) for one in ("ada", "bob")]
        with written.database.writing() as connection:
            begin_batch(connection)
            CustomerBatch(connection, list(enumerate(no)), "file.jsonl", at(LATER)).write()

    with ThreadPoolExecutor(3) as pool:
        for number in range(8):
            for done in [pool.submit(work, number) for work in (link, text, file)]:
                done.result()
    assert not sms_consent(written, "ada")[-1]


@pytest.mark.parametrize("last", ["ada", "bob", "eve"])
def test_a_shared_numbers_text_is_of_the_one_whom_we_wrote_to_last(shop: Shop, last: str) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms"), stages=["buyer"]))
    shop.customers("ada", "bob", "eve", phone=ROME)
    shop.orders(last, "2026-03-01T09:00:00Z")
    shop.evaluate(DAY1)
    assert shop.send(NOON)["sent"] == 1
    came(shop, "HELP")
    assert [row.customer_id for row in shop.rows(inbound_texts)] == [last]
