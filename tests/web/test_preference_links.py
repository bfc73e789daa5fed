"""Whoever comes by a link to the page on which customers choose, and whatever goes wrong on the way."""

from typing import Any

import loopback
import pytest
from choosing import EVERYTHING, NOON, OFFERS, boxes, get, link, on_sqlite, post, written
from shop import Shop, at
from sqlalchemy import event, update

from automation.customers.preferences import MOST_A_DAY
from automation.database.schema import consents, customers
from automation.web.words import WORDS, topic_name


def test_unknown_damaged_and_outlived_links_are_answered_alike(planned: Shop, address: str) -> None:
    good = link(planned, "ada")
    with planned.database.writing() as connection:
        connection.execute(update(customers).where(customers.c.customer_id == "bob").values(erased_at=at(NOON)))
    damaged = [good[:-2] + "AA", "/p/x", "/p/" + "A" * 32, "/p/%F0%9F%8E%81", "/p/%00", "/p/%ff%fe", "/p/" + "é" * 32]
    pages = [get(address + one) for one in (*damaged, link(planned, "bob"))]
    posted = [post(address + one, EVERYTHING, set()) for one in (*damaged, link(planned, "bob"))]
    assert {(page.status_code, page.text) for page in (*pages, *posted)} == {(200, pages[0].text)}
    assert WORDS["en"].unknown in pages[0].text
    assert not any(row.source == "page" for row in planned.rows(consents))


@on_sqlite
def test_no_page_is_kept_indexed_framed_or_told_of_elsewhere(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    for answer in (get(url), get(address + "/p/x"), post(url, set(), set()), get(url.replace("/p/", "/u/"))):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy + answer.text
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex"


@on_sqlite
def test_the_link_alone_decides_wherever_the_form_was_sent_from(planned: Shop, address: str) -> None:
    headers = {"origin": "null", "referer": "https://elsewhere.example/"}
    done = post(address + link(planned, "ada"), EVERYTHING, set(), headers=headers)
    assert done.status_code == 303
    assert len(written(planned)) == 2


@on_sqlite
def test_a_form_that_is_too_large_is_refused(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    for body in (b"now=" + b"x" * 64_000, b"now=1&" * 1_001):
        assert loopback.post(url, content=body).status_code == 413
    assert written(planned) == []


@on_sqlite
def test_whoever_says_yes_and_no_all_day_is_heard_saying_no(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    answers = []
    for _ in range(MOST_A_DAY + 1):
        post(url, EVERYTHING, EVERYTHING - {OFFERS})
        answers.append(post(url, EVERYTHING - {OFFERS}, EVERYTHING).status_code)
    assert answers == [303] * MOST_A_DAY + [429]
    assert written(planned)[-1] == ("email", "offers", False)


def test_a_database_that_fails_is_no_lost_choice_but_one_to_make_again(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")

    def fail(*_: Any) -> None:
        raise OSError

    event.listen(planned.database.engine, "before_cursor_execute", fail)
    try:
        answers = [get(url), post(url, EVERYTHING, set()), get(url.replace("/p/", "/u/"))]
    finally:
        event.remove(planned.database.engine, "before_cursor_execute", fail)
    assert [one.status_code for one in answers] == [503, 503, 503]
    assert all(WORDS["en"].later in one.text for one in answers)


def test_an_error_tells_the_log_no_address(planned: Shop, address: str, caplog: pytest.LogCaptureFixture) -> None:
    with planned.database.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE suppressions RENAME TO elsewhere")
    assert get(address + link(planned, "ada")).status_code == 503
    assert "suppressions" in caplog.text
    assert not any(told in caplog.text for told in ("ada@", "+12015550123"))


@on_sqlite
def test_a_playbook_file_with_a_mistake_leaves_the_topics_as_they_were(planned: Shop, address: str) -> None:
    url = address + link(planned, "ada")
    before = boxes(get(url))
    (planned.folder / "playbooks/letter.toml").write_text("name = ", encoding="utf-8")
    assert boxes(get(url)) == before


def test_every_language_says_everything() -> None:
    for language, words in WORDS.items():
        assert all(words), language
        for text in (words.email, words.sms, words.intro):
            assert text.count("{name}") == 1
        assert words.topics.keys() == WORDS["en"].topics.keys()
        assert topic_name("offers", language, words, {}) == words.topics["offers"]


def test_a_person_is_looked_up_by_keys_alone(planned: Shop, address: str) -> None:
    asked: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, bound: Any, *___: Any) -> None:
        if "hook_calls" not in statement:  # that one is the server's own, which looks for waiting calls meanwhile
            asked.append((statement, bound))

    url = address + link(planned, "ada")
    event.listen(planned.database.engine, "before_cursor_execute", note)
    try:
        get(url)
        post(url, EVERYTHING, EVERYTHING - {OFFERS})
    finally:
        event.remove(planned.database.engine, "before_cursor_execute", note)
    assert len(asked) <= 20
    if planned.database.is_sqlite:  # PostgreSQL reads tables as small as these from end to end
        queries = [(sql, bound) for sql, bound in asked if sql.startswith("SELECT") and "WHERE" in sql]
        with planned.database.reading() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", bound).all() for sql, bound in queries]
        assert [row.detail for plan in plans for row in plan if row.detail.startswith("SCAN")] == []
