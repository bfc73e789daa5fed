"""Support closes an address, reopens it, records what a customer said, and sees what stands against writing to them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import Connection, update

from automation.customers.addresses import close_address, reopen_address
from automation.customers.suppress import suppress_address
from automation.customers.wish import Wish, record_wish
from automation.database.schema import audit_log, consents, customers, lifted_suppressions, suppressions
from automation.delivery.answers.past import Past
from automation.delivery.answers.reach import Way, ways_to
from automation.delivery.desk import open_desk
from automation.delivery.health import by_hand
from automation.delivery.verify import verify
from automation.errors import BadInput, UnknownCustomer
from automation.playbooks.topics import topics_by_channel
from automation.reasons import Reason

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.write(
        care=playbook(step("one", late_by="300 days"), topic="offers"),
        bill=playbook(step("one", late_by="300 days"), kind="transactional", topic="service"),
    )
    shop.customers("ada")
    shop.evaluate(DAY1)


def do(shop: Shop, act: Callable[[Connection], object]) -> None:
    with shop.database.writing() as connection:
        act(connection)


def close(shop: Shop, channel: str = "email", customer_id: str = "ada") -> None:
    do(shop, lambda one: close_address(one, customer_id, channel, "Bea", "asked by phone", at(NOON)))


def reopen(shop: Shop, *, sure: bool = False) -> None:
    do(shop, lambda one: reopen_address(one, "ada", "email", "Bea", "they called", at(LATER), sure=sure))


def closed(shop: Shop) -> list[str]:
    return [row.reason for row in shop.rows(suppressions)]


def test_a_closed_address_gets_nothing_more_not_even_a_bill(shop: Shop) -> None:
    close(shop)
    assert shop.send(NOON)["skipped"] == {"suppressed_address": 2}
    assert [(row.actor, row.act, row.about, row.note) for row in shop.rows(audit_log)] == [
        ("Bea", "close_email", "customer:ada", "asked by phone")
    ]
    assert verify(shop.database, shop.settings).ok


def test_a_reopened_address_is_written_to_again_and_what_was_is_kept(shop: Shop) -> None:
    close(shop)
    reopen(shop)
    assert shop.send(LATER)["sent"] == 2
    assert [(row.reason, row.lifted_at) for row in shop.rows(lifted_suppressions)] == [("by_hand", at(LATER))]
    assert [row.act for row in shop.rows(audit_log)] == ["close_email", "reopen_email"]


def test_what_a_person_closed_no_consent_of_the_customer_reopens(shop: Shop) -> None:
    close(shop)
    do(shop, lambda one: record_wish(one, Wish("ada", "email", "*", granted=True, wording="Yes"), "Bea", "", at(LATER)))
    assert closed(shop) == ["by_hand"]


@pytest.mark.parametrize("reason", ["unsubscribed", "suspected_stop"])
def test_what_the_customer_closed_only_their_new_consent_reopens(shop: Shop, reason: str) -> None:
    do(shop, lambda one: suppress_address(one, "email", "ada@example.com", reason, "link", at(NOON)))
    with pytest.raises(BadInput, match="record their new consent"):
        reopen(shop, sure=True)
    assert (closed(shop), shop.rows(audit_log)) == ([reason], [])
    do(shop, lambda one: record_wish(one, Wish("ada", "email", "*", granted=True, wording="Yes"), "Bea", "", at(LATER)))
    assert closed(shop) == []


def test_after_a_complaint_nobody_reopens(shop: Shop) -> None:
    do(shop, lambda one: suppress_address(one, "email", "ada@example.com", "complained", "postmark", at(NOON)))
    with pytest.raises(BadInput, match="stays closed after complained"):
        reopen(shop, sure=True)
    assert (closed(shop), shop.rows(audit_log)) == (["complained"], [])


def test_after_a_returned_message_somebody_has_to_be_sure(shop: Shop) -> None:
    do(shop, lambda one: suppress_address(one, "email", "ada@example.com", "bounced_hard", "postmark", at(NOON)))
    with pytest.raises(BadInput, match="make sure"):
        reopen(shop)
    assert closed(shop) == ["bounced_hard"]
    reopen(shop, sure=True)
    assert shop.send(LATER)["sent"] == 2


def test_the_customers_own_stop_becomes_one_that_stays(shop: Shop) -> None:
    do(shop, lambda one: suppress_address(one, "email", "ada@example.com", "unsubscribed", "link", at(DAY1)))
    close(shop)
    assert closed(shop) == ["by_hand"]
    with pytest.raises(BadInput, match="by_hand since 2026-03-02"):
        close(shop)


def test_where_there_is_nothing_to_close_or_reopen_nothing_changes(shop: Shop) -> None:
    with pytest.raises(BadInput, match="not closed"):
        reopen(shop)
    with pytest.raises(UnknownCustomer):
        close(shop, customer_id="nobody")
    do(shop, lambda one: one.execute(update(customers).values(phone=None)))
    with pytest.raises(BadInput, match="no address of theirs for sms"):
        close(shop, channel="sms")
    with pytest.raises(BadInput, match="say who"):
        do(shop, lambda one: close_address(one, "ada", "email", " ", "", at(NOON)))
    assert (closed(shop), shop.rows(audit_log)) == ([], [])


def test_a_consent_keeps_how_it_was_given(shop: Shop) -> None:
    wish = Wish("ada", "email", "offers", granted=True, wording=" Yes, offers ", basis="form")
    do(shop, lambda one: record_wish(one, wish, "Bea", "shop in Rome", at(NOON)))
    newest = shop.rows(consents)[-1]
    assert (newest.basis, newest.wording, newest.actor) == ("form", "Yes, offers", "Bea")
    bad = Wish("ada", "email", "*", granted=True, wording="Yes", basis="from")
    with pytest.raises(BadInput, match='did you mean "form"'):
        do(shop, lambda one: record_wish(one, bad, "Bea", "", at(NOON)))


def way(shop: Shop, channel: str = "email", now: str = LATER) -> Way:
    with shop.database.reading() as connection:
        past = Past(connection, open_desk(connection, shop.settings, shop.book), "ada", at(now))
        ways = ways_to(past, topics_by_channel(shop.book.playbooks.values(), at(now).date()))
    return next(one for one in ways if one.channel == channel)


def test_a_way_that_is_free_names_its_topics_with_the_record_that_decides(shop: Shop) -> None:
    do(shop, lambda one: record_wish(one, Wish("ada", "email", "news", granted=False), "Bea", "", at(NOON)))
    found = way(shop)
    assert (found.address, found.against, found.closed) == ("ada@example.com", None, None)
    assert {topic: row and row.granted for topic, row in found.topics.items()} == {
        "*": True,
        "offers": True,
        "news": False,
    }


def erase(connection: Connection) -> None:
    connection.execute(update(customers).values(erased_at=at(NOON), email=None, phone=None))


def pause(connection: Connection, until: datetime | None = None) -> None:
    by_hand.pause(connection, "customer:ada", "Bea", "", until, at(NOON))


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (erase, Reason.ERASED),
        (lambda one: close_address(one, "ada", "email", "Bea", "", at(NOON)), Reason.SUPPRESSED_ADDRESS),
        (lambda one: one.execute(update(customers).values(email=None)), Reason.NO_ADDRESS),
        (lambda one: record_wish(one, Wish("ada", "email", "*", False), "Bea", "", at(NOON)), Reason.NO_CONSENT),
        (pause, Reason.CUSTOMER_PAUSED),
        (lambda one: by_hand.pause(one, "everything", "Bea", "", None, at(NOON)), Reason.EVERYTHING_PAUSED),
    ],
)
def test_what_stands_against_a_way_is_told_and_is_what_sending_heeds(
    shop: Shop, act: Callable[[Connection], object], reason: Reason
) -> None:
    do(shop, act)
    assert way(shop).against == reason
    shop.send(LATER)
    (care,) = (row for row in shop.rows() if row.playbook == "care")
    assert care.reason == reason.value


def test_a_pause_of_one_person_tells_its_end(shop: Shop) -> None:
    do(shop, lambda one: pause(one, at("2026-03-05T00:00:00Z")))
    assert way(shop).paused_until == at("2026-03-05T00:00:00Z")
    assert way(shop, now="2026-03-06T00:00:00Z").against is None


def test_people_who_act_at_once_never_wait_for_each_other_in_a_circle(shop: Shop) -> None:
    """PostgreSQL would end one of them; SQLite has one writer at a time."""

    def pauses(connection: Connection) -> None:
        by_hand.pause(connection, "customer:ada", "Bea", "", None, at(NOON))

    def closes(connection: Connection) -> None:
        close_address(connection, "ada", "email", "Bea", "", at(NOON))
        reopen_address(connection, "ada", "email", "Bea", "", at(NOON))

    def refuses(connection: Connection) -> None:
        record_wish(connection, Wish("ada", "sms", "*", granted=False), "Bea", "", at(NOON))

    times = 15

    def often(act: Callable[[Connection], object]) -> None:
        for _ in range(times):
            do(shop, act)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(often, (pauses, closes, refuses)))
    assert len(shop.rows(audit_log)) == 4 * times
    assert verify(shop.database, shop.settings).ok
