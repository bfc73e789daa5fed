"""The page on which customers choose: it shows one customer what they get, and saves what they changed."""

from concurrent.futures import ThreadPoolExecutor

import loopback
import pytest
from choosing import (
    ALL,
    EVERYTHING,
    LATER,
    NEWS,
    NOON,
    OFFERS,
    TEXT_OFFERS,
    TEXTS,
    boxes,
    get,
    link,
    on_sqlite,
    post,
    refuse,
    written,
)
from serving import served
from shop import Shop, at, playbook, step
from sqlalchemy import update

from automation.customers.suppress import withdraw_consent
from automation.database.brake import brake
from automation.database.schema import consents, customers, outcomes, shard_of, suppressions
from automation.delivery.verify import verify
from automation.web.words import WORDS


def test_the_page_shows_each_topic_of_active_marketing_and_changes_nothing(planned: Shop, address: str) -> None:
    before = planned.rows(consents)
    page = get(address + link(planned, "ada"))
    assert (page.status_code, boxes(page)) == (200, dict.fromkeys(EVERYTHING, True))
    assert loopback.request("HEAD", address + link(planned, "ada")).status_code == 200
    assert planned.rows(consents) == before


@on_sqlite
def test_it_speaks_the_customers_language_and_calls_topics_as_people_do(planned: Shop, address: str) -> None:
    page = get(address + link(planned, "ada")).text
    assert '<html lang="pl">' in page
    assert ">Oferty</label>" in page
    assert ">Shop news</label>" in page


@on_sqlite
def test_it_calls_topics_as_the_business_does(planned: Shop) -> None:
    with (planned.folder / "config.toml").open("a", encoding="utf-8") as config:
        config.write('[topics]\nshop_news = { en = "News", pl = "Nowości <3" }\n')
    with served(planned, LATER) as address:
        assert ">Nowości &lt;3</label>" in get(address + link(planned, "ada")).text


@on_sqlite
def test_no_address_is_shown_in_full_and_nothing_of_anybody_else(planned: Shop, address: str) -> None:
    page = get(address + link(planned, "ada")).text
    assert "a…@example.com" in page
    assert "…123" in page
    assert not any(one in page for one in ("ada@", "+12015550123", "bob", ">ada"))


@on_sqlite
def test_only_channels_with_an_address_are_shown(planned: Shop, address: str) -> None:
    with planned.database.writing() as connection:
        connection.execute(update(customers).values(phone=None))
    assert set(boxes(get(address + link(planned, "ada")))) == {ALL, OFFERS, NEWS}
    with planned.database.writing() as connection:
        connection.execute(update(customers).values(email=None))
    page = get(address + link(planned, "ada"))
    assert boxes(page) == {}
    assert WORDS["pl"].nowhere in page.text


def test_a_topic_that_is_unticked_is_taken_back_before_the_next_post(planned: Shop, address: str) -> None:
    with planned.database.reading() as connection:
        before = brake(connection)
    done = post(address + link(planned, "ada"), EVERYTHING, EVERYTHING - {OFFERS})
    assert (done.status_code, done.headers["location"]) == (303, "?saved=1")
    assert written(planned) == [("email", "offers", False)]
    (withdrawn,) = (row for row in planned.rows(consents) if not row.granted)
    assert (withdrawn.basis, withdrawn.source, withdrawn.actor) == ("withdrawn", "page", "customer")
    with planned.database.reading() as connection:
        assert brake(connection) > before
    planned.send(NOON)
    sent = {(row.customer_id, row.playbook, row.status) for row in planned.rows() if row.channel == "email"}
    assert {("ada", "care", "skipped"), ("ada", "letter", "sent"), ("bob", "care", "sent")} <= sent
    assert verify(planned.database, planned.settings).ok


@on_sqlite
def test_after_saving_the_page_says_so_and_shows_what_stands(planned: Shop, address: str) -> None:
    page = post(address + link(planned, "ada"), EVERYTHING, EVERYTHING - {OFFERS}, follow_redirects=True)
    assert (page.status_code, page.request.method) == (200, "GET")
    assert WORDS["pl"].saved in page.text
    assert [value for value, on in boxes(page).items() if not on] == [OFFERS]
    assert len(get(str(page.url)).text) == len(page.text)
    assert len(written(planned)) == 1


def test_a_channel_that_is_unticked_is_off_whatever_is_ticked_below_it(planned: Shop, address: str) -> None:
    page = post(address + link(planned, "ada"), EVERYTHING, EVERYTHING - {ALL}, follow_redirects=True)
    assert written(planned) == [("email", "*", False)]
    assert [value for value, on in boxes(page).items() if on] == [TEXTS, TEXT_OFFERS]
    assert [row.outcome for row in planned.rows(outcomes)] == ["unsubscribed"]


@on_sqlite
def test_texts_are_switched_off_without_the_mail_counting_as_unsubscribed(planned: Shop, address: str) -> None:
    post(address + link(planned, "ada"), EVERYTHING, EVERYTHING - {TEXTS})
    assert written(planned) == [("sms", "*", False)]
    assert planned.rows(outcomes) == []


@pytest.mark.parametrize(
    ("now", "rows", "standing"),
    [
        ({ALL}, [("email", "*", True)], {ALL, OFFERS, NEWS}),
        ({ALL, OFFERS, NEWS}, [("email", "*", True)], {ALL, OFFERS, NEWS}),
        ({ALL, OFFERS}, [("email", "offers", True)], {ALL, OFFERS}),
        ({NEWS}, [("email", "shop_news", True)], {ALL, NEWS}),
    ],
)
def test_what_is_switched_on_again_is_what_was_ticked(
    planned: Shop, address: str, now: set[str], rows: list[tuple[str, str, bool]], standing: set[str]
) -> None:
    url = address + link(planned, "ada")
    post(url, EVERYTHING, set())
    page = post(url, set(), now, follow_redirects=True)
    assert written(planned)[2:] == rows
    assert {value for value, on in boxes(page).items() if on} == standing


@on_sqlite
def test_a_yes_is_kept_with_the_words_that_were_agreed_to(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    post(url, EVERYTHING, set())
    post(url, set(), {ALL, TEXT_OFFERS})
    said = [row for row in planned.rows(consents) if row.granted and row.basis == "page"]
    assert [row.wording for row in said] == [
        f"{WORDS['pl'].all_email}. {WORDS['pl'].covers}",
        f"{WORDS['pl'].all_sms}: Oferty",
    ]
    assert {(row.source, row.actor) for row in said} == {("page", "customer")}
    planned.send(LATER)
    assert verify(planned.database, planned.settings).ok
    assert {row.status for row in planned.rows() if row.customer_id == "ada" and row.channel == "email"} == {"sent"}


def test_boxes_that_were_left_as_they_were_write_nothing(planned: Shop, address: str) -> None:
    before = planned.rows(consents)
    for was, now in ((EVERYTHING, EVERYTHING), (set(), set()), (set(), EVERYTHING)):
        assert post(address + link(planned, "ada"), was, now).status_code == 303
    assert planned.rows(consents) == before


def test_an_old_page_takes_back_no_later_choice(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    with planned.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "link", "customer", at(NOON))
    post(url, EVERYTHING, EVERYTHING - {TEXTS})
    assert [value for value, on in boxes(get(url)).items() if on] == []


@on_sqlite
def test_an_old_page_can_say_no_to_a_topic_that_is_gone_but_not_yes(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    planned.write(letter=playbook(step("one"), topic="shop_news", active=False))
    assert NEWS not in boxes(get(url))
    post(url, EVERYTHING, EVERYTHING - {NEWS})
    assert written(planned) == [("email", "shop_news", False)]
    post(url, EVERYTHING - {NEWS}, EVERYTHING)
    assert written(planned) == [("email", "shop_news", False)]


@on_sqlite
def test_what_nobody_offered_is_not_written_down(planned: Shop, address: str) -> None:
    url, before = address + link(planned, "ada"), planned.rows(consents)
    for strange in ("email:made_up", "fax:*", "sms", "", ":", "email:\0", "email:*:*", "email:\ufffd"):
        assert post(url, {strange}, set()).status_code == post(url, set(), {strange}).status_code == 303
    assert planned.rows(consents) == before


def test_a_double_click_and_two_pages_at_once_are_one_choice(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: post(url, EVERYTHING, EVERYTHING - {OFFERS, TEXTS}).status_code, range(8)))
    assert done == [303] * 8
    assert written(planned) == [("email", "offers", False), ("sms", "*", False)]
    numbers = [row.number for row in planned.rows(consents) if row.customer_id == "ada"]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_page_and_the_unsubscribe_link_at_once_do_not_disturb_each_other(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    calls = [
        lambda: post(url, EVERYTHING, EVERYTHING - {OFFERS}),
        lambda: post(url.replace("/p/", "/u/"), set(), set()),
    ]
    with ThreadPoolExecutor(8) as pool:
        done = [one.result().status_code for one in [pool.submit(calls[at % 2]) for at in range(8)]]
    assert set(done) == {303, 200}
    assert not any(on for value, on in boxes(get(url)).items() if value.startswith("email"))


@on_sqlite
@pytest.mark.parametrize(("reason", "word"), [("bounced_hard", "returned"), ("complained", "complained")])
def test_a_choice_lifts_no_bounce_and_no_complaint_and_the_page_says_so(
    planned: Shop, address: str, reason: str, word: str
) -> None:
    url = address + link(planned, "ada")
    post(url, EVERYTHING, set())
    refuse(planned, "email", "ada@example.com", reason)
    page = post(url, set(), EVERYTHING, follow_redirects=True)
    assert getattr(WORDS["pl"], word) in page.text
    assert page.text.count('class="warning"') == 1
    assert [row.reason for row in planned.rows(suppressions)] == [reason]
    planned.send(NOON)
    assert {row.status for row in planned.rows() if row.customer_id == "ada" and row.channel == "email"} == {"skipped"}
    assert ("email", "*", True) in written(planned)


def test_a_yes_undoes_an_unsubscribe_of_their_own_at_the_address_that_the_link_went_to(
    planned: Shop, address: str
) -> None:
    url = address + link(planned, "ada")
    planned.send(NOON)
    post(url, EVERYTHING, set())
    refuse(planned, "email", "ada@example.com", "unsubscribed")
    refuse(planned, "email", "bob@example.com", "unsubscribed")
    assert WORDS["pl"].stopped in get(url).text
    page = post(url, set(), {OFFERS}, follow_redirects=True)
    assert 'class="warning"' not in page.text
    assert [row.address for row in planned.rows(suppressions)] == ["bob@example.com"]


@on_sqlite
def test_a_yes_undoes_no_unsubscribe_at_another_address(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    planned.send(NOON)
    post(url, EVERYTHING, set())
    planned.customers("ada", email="ada@example.org", locale="pl-PL")
    refuse(planned, "email", "ada@example.org", "unsubscribed")
    page = post(url, set(), {ALL}, follow_redirects=True)
    assert WORDS["pl"].complained in page.text
    assert [row.address for row in planned.rows(suppressions)] == ["ada@example.org"]


@on_sqlite
@pytest.mark.parametrize("reason", ["unsubscribed", "suspected_stop"])
def test_a_stop_by_text_is_undone_by_start_alone(planned: Shop, address: str, reason: str) -> None:
    url = address + link(planned, "ada")
    post(url, EVERYTHING, set())
    refuse(planned, "sms", "+12015550123", reason)
    page = post(url, set(), {TEXTS}, follow_redirects=True)
    assert WORDS["pl"].stopped_by_text in page.text
    assert [row.reason for row in planned.rows(suppressions)] == [reason]


@on_sqlite
def test_a_choice_counts_as_soon_as_there_is_another_address(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    refuse(planned, "email", "ada@example.com", "bounced_hard")
    planned.customers("ada", email="ada@example.org", locale="pl-PL")
    page = get(url)
    assert 'class="warning"' not in page.text
    assert "a…@example.org" in page.text
    planned.send(NOON)
    assert "ada@example.org" in {one["recipient"] for one in planned.log()}
