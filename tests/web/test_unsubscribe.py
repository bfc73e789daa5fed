"""The link in every email: one click, no login, no redirect, and nothing for whoever guesses."""

from collections.abc import Iterator

import loopback
import pytest
from serving import served
from shop import Shop, playbook, step

from automation.database.schema import consents, outcomes
from automation.delivery.desk import open_desk
from automation.delivery.tokens import make_token, read_token

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def sent(shop: Shop) -> Shop:
    shop.write(care=playbook(step("one", late_by="3 days")), more=playbook(step("two", late_by="3 days")))
    shop.customers("ada", "bob", locale="pl-PL")
    shop.per_day = 1
    shop.evaluate(DAY1)
    return shop


@pytest.fixture
def address(sent: Shop) -> Iterator[str]:
    with served(sent, LATER) as found:
        yield found


def link(shop: Shop, customer: str) -> str:
    """The path that stands in the customer's first mail."""
    row = next(one for one in shop.rows() if one.customer_id == customer)
    with shop.database.reading() as connection:
        url = open_desk(connection, shop.settings, shop.book).links(row.message_id).unsubscribe
    return url.removeprefix(shop.settings.business.public_url)


def withdrawn(shop: Shop) -> list[tuple[str, str, str]]:
    return [(row.customer_id, row.channel, row.actor) for row in shop.rows(consents) if not row.granted]


def test_the_link_that_was_sent_is_the_one_that_is_answered(sent: Shop) -> None:
    expected = link(sent, "ada")
    sent.send(NOON)
    number = next(one["id"] for one in sent.log() if one["recipient"] == "ada@example.com")
    mail = loopback.get(f"{sent.url}/messages/{number}/html").text
    assert f'href="{sent.settings.business.public_url}{expected}"' in mail


def test_a_post_unsubscribes_without_login_or_redirect_and_before_the_next_post(sent: Shop, address: str) -> None:
    done = loopback.post(address + link(sent, "ada"), data=ONE_CLICK)
    assert (done.status_code, done.history) == (200, [])
    assert withdrawn(sent) == [("ada", "email", "customer")]
    sent.send(NOON)
    assert {row.status for row in sent.rows() if row.customer_id == "ada"} == {"skipped"}
    assert [row.outcome for row in sent.rows(outcomes)] == ["unsubscribed"]


def test_a_second_time_changes_nothing(sent: Shop, address: str) -> None:
    for _ in range(3):
        loopback.post(address + link(sent, "ada"), data=ONE_CLICK).raise_for_status()
    assert len(withdrawn(sent)) == len(sent.rows(outcomes)) == 1


def test_a_get_shows_a_button_in_the_customers_language_and_changes_nothing(sent: Shop, address: str) -> None:
    sent.send(NOON)
    page = loopback.get(address + link(sent, "ada"))
    assert page.status_code == 200
    assert '<html lang="pl">' in page.text
    assert "<button>Zrezygnuj</button>" in page.text
    assert page.headers["referrer-policy"] == "no-referrer"
    assert withdrawn(sent) == []


def test_a_link_that_nobody_signed_is_answered_as_a_good_one_is(sent: Shop, address: str) -> None:
    good = link(sent, "ada")
    for guess in (good[:-2] + "AA", "/u/x", "/u/" + "A" * 32, "/u/%F0%9F%8E%81", "/u/" + "é" * 32):
        for method in ("GET", "POST"):
            ours = loopback.request(method, address + link(sent, "bob"))
            theirs = loopback.request(method, address + guess)
            assert theirs.status_code == ours.status_code == 200
            assert theirs.headers.keys() == ours.headers.keys()
    assert {row[0] for row in withdrawn(sent)} == {"bob"}


def test_links_survive_a_change_of_the_key(sent: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    before_any = link(sent, "ada")
    monkeypatch.setenv("AUTOMATION_SECRET_KEY", "one")
    of_one = link(sent, "bob")
    monkeypatch.setenv("AUTOMATION_SECRET_KEY", "two")
    monkeypatch.setenv("AUTOMATION_PREVIOUS_SECRET_KEY", "one")
    with served(sent, LATER) as address:
        for old in (before_any, of_one):
            loopback.post(address + old, data=ONE_CLICK).raise_for_status()
    assert {row[0] for row in withdrawn(sent)} == {"ada", "bob"}


@pytest.mark.parametrize("message_id", [1, 255, 2**40 + 7, 2**63 - 1])
def test_a_token_is_read_by_the_key_that_made_it_and_by_no_other(message_id: int) -> None:
    token = make_token("key", message_id)
    assert read_token(["other", "key"], token) == message_id
    assert read_token(["other"], token) is None
    changed = (token[:at] + "-" + token[at + 1 :] for at in range(len(token)))
    assert all(read_token(["key"], one) is None for one in changed if one != token)
